/** The snippets for ingress controllers, in the configurations that the controllers render. */
import { beforeAll, describe, expect, test } from 'vitest';
import { newRing } from '../../../src/session/keys/rotate-ring.ts';
import {
  type Answer,
  type Box,
  bareImage,
  rawRequest,
  Sealer,
  type Sent,
  send,
  sendHttp2,
  sendRaw,
  startContainer,
  startEcho,
  startProvider,
  testStage,
  until,
} from '../../harness/index.ts';
import { describeWith } from '../../harness/needs.ts';
import { type Filled, fillSet, folderOf, lacksSets, policyFor, portsOf, targetOf } from './controllers.ts';
import { FORMS } from './sets.ts';

const lacks = lacksSets();

const stage = await testStage('ingress snippets');
const ring = newRing(Date.now() / 1000 - 60);
const certificate = await stage.ca.server(['wiki.example.com', 'other.example.com']);

/** A path that another owner adds, as NIC and NGF render exact paths. */
const added = (upstream: string, path: string) =>
  `location = ${path} { proxy_http_version 1.1; proxy_pass http://${upstream}; }`;

/** What a tenant with API keys has in NIC, and the same with QuickJS. */
const apiKeys = (folder: string, port: number, engine: string) => `
map $apikey_auth_token $api_client_${engine} { default ""; "${'2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b'}" ada; }
server {
  listen ${port}; access_log off;
  js_engine ${engine};
  js_var $header_query_value $http_x_api_key;
  js_var $apikey_auth_local_map api_client_${engine};
  js_var $apikey_auth_token $apikey_auth_hash;
  js_var $apikey_client_name;
  auth_request /_validate_apikey_njs;
  location = /_validate_apikey_njs { internal; js_content apikey_auth.validate; }
  location / { add_header X-Client $apikey_client_name; add_header X-Map "" always; try_files /none @ok; }
  location @ok { add_header X-Client $apikey_client_name always; return 200 "in ${folder}"; }
}
`;

async function fixture() {
  const origins = FORMS.map((_, i) => `https://wiki.example.com:${portsOf(i).https}`);
  const [provider] = await Promise.all([
    startProvider(stage, { alias: 'provider.test', origins }),
    startEcho(stage, { alias: 'wiki' }),
    startEcho(stage, { alias: 'other' }),
  ]);
  const sets = await Promise.all(
    FORMS.map((form, index) =>
      fillSet(stage, {
        ...form,
        index,
        policy: policyFor(provider, portsOf(index).https),
        ...{ pods: 'wiki:8080', otherPods: 'other:8080', tlsPem: certificate.pem },
        change: (files) => {
          const upstream = form.target === 'nic' ? 'team-b-foreign-wiki.example.com-other-80' : 'team-b_other_80';
          if (form.set === 'nic-mergeable' || form.target === 'ngf') {
            const file = form.target === 'nic' ? 'conf.d/wiki-wiki.conf' : 'conf.d/http.conf';
            const marker = /^([ \t]*)(location \/rest\/ \{)(?![\s\S]*^[ \t]*location \/rest\/ \{)/m;
            const opened = added(upstream, '/opened').replace('{', '{ auth_request off;');
            const more = [opened, added(upstream, '/exact'), added(upstream, '/.meshgate/check/wiki.example.com/*')];
            if (!marker.test(files[file]!)) throw new Error(`${form.set}: no place for the path of another owner`);
            files[file] = files[file]!.replace(marker, `${more.join('\n')}\n$1$2`);
          }
          if (form.set === 'nic-virtualserver') {
            files['conf.d/keys.conf'] = apiKeys('njs', 7001, 'njs') + apiKeys('qjs', 7002, 'qjs');
          }
        },
      }),
    ),
  );
  // The same without any snippet.
  const before = await Promise.all(
    FORMS.map((form, index) =>
      fillSet(stage, {
        ...form,
        index: FORMS.length + index,
        rendered: {
          rendered: sets[index]!.rendered,
          from: { [folderOf(index)]: folderOf(FORMS.length + index) },
        },
        policy: policyFor(provider, portsOf(index).https),
        ...{ pods: 'wiki:8080', otherPods: 'other:8080', tlsPem: certificate.pem },
        snippets: () => ({}),
      }),
    ),
  );
  const files: Record<string, string> = {};
  const all = [...sets, ...before];
  for (const set of all) Object.assign(files, set.files);
  files['/run/secrets/session.jwks'] = ring;
  files['/run/tls/tls.crt'] = certificate.cert;
  files['/run/tls/tls.key'] = certificate.key;
  const folders = all.map(({ folder }) => `${folder}/run`).join(' ');
  const starts = all.map(({ command }) => `${command} 2>&1 &`).join('\n');
  const box = await startContainer(stage, {
    ...{ image: bareImage, alias: 'controllers', files },
    command: ['bash', '-c', `mkdir -p ${folders}; chmod 777 ${folders}\n${starts}\necho all began; wait`],
    ready: /all began/,
  });
  return { provider, sets, before, box };
}

const WIKI = 'wiki.example.com';
const opening = {
  'Sec-Fetch-Mode': 'navigate',
  'Sec-Fetch-Dest': 'document',
  'Sec-Fetch-Site': 'none',
  Accept: 'text/html',
};

describeWith(lacks, 'ingress controllers', async () => {
  const { provider, sets, before, box } = await fixture();
  const tokens: Record<string, string> = {};
  beforeAll(async () => {
    for (const name of ['ada', 'ben', 'cleo']) tokens[name] = await provider.token(name);
    await Promise.all(
      sets.map((set) =>
        until(
          async () =>
            (await ask(box, set, { path: '/page', token: tokens.ada! }).catch(() => undefined))?.status === 200,
          {
            what: `${set.name} to pass a request`,
            help: () => box.logs.tail(60),
          },
        ),
      ),
    );
  });

  const ask = (at: Box, set: Filled, sent: Sent, name = WIKI): Promise<Answer> =>
    send(targetOf(stage, at.host, set, name), sent);

  for (const [index, { set: name }] of FORMS.entries()) {
    describe(name, () => {
      const set = sets[index]!;
      const at = (sent: Sent, host = WIKI) => ask(box, set, sent, host);

      test('a token of the provider passes; the service receives the caller, and no header twice', async () => {
        const forged = { 'X-Forwarded-User': 'mallory', 'X-Meshgate-Rule': 'mallory', X_Forwarded_User: 'mallory' };
        const answer = await at({ path: '/rest/a%20b?x=%2F', token: tokens.ada!, headers: forged });
        expect(answer.status).toBe(200);
        const { service, url, headers } = answer.json();
        expect({ service, url }).toEqual({ service: 'wiki', url: '/rest/a%20b?x=%2F' });
        const names = headers.map(([key]: [string, string]) => key.toLowerCase());
        expect(names.filter((it: string, i: number) => names.indexOf(it) !== i)).toEqual([]);
        const values = Object.fromEntries(headers);
        expect(values).toMatchObject({
          ...{
            Host: `${WIKI}:${set.httpsPort}`,
            'X-Forwarded-Proto': 'https',
            'X-Forwarded-Host': WIKI,
            'X-Forwarded-User': 'ada',
          },
          'X-Meshgate-Rule': 'wiki.example.com/rest/*#1',
        });
        expect(JSON.stringify(headers)).not.toContain('mallory,');
        expect(names).not.toContain('authorization');
        expect(names).not.toContain('x_forwarded_user');
      });

      test('a forged token, a missing role and a method that no rule allows are rejected', async () => {
        const [head, body, signature] = tokens.ada!.split('.');
        const forged = `${head}.${body}.${signature!.slice(0, -6)}AAAAAA`;
        const requested = [
          at({ path: '/page' }),
          at({ path: '/page', token: forged }),
          at({ path: '/page', token: tokens.cleo! }),
          at({ path: '/rest/x', token: tokens.ben!, method: 'POST', body: 'x' }),
          at({ path: '/files/x', token: tokens.ada!, method: 'DELETE' }),
          at({ path: '/rest/x', token: tokens.ada!, method: 'POST', body: 'x' }),
          at({ path: '/status' }),
        ];
        const answers = (await Promise.all(requested)).map((it) => [it.status, it.json().reason ?? it.json().service]);
        expect(answers).toEqual([
          [401, 'credential_missing'],
          [401, 'signature_invalid'],
          [403, 'role_missing'],
          [403, 'role_missing'],
          [403, 'role_missing'],
          [200, 'wiki'],
          [200, 'wiki'],
        ]);
      });

      test('the longest path decides, as in an nginx without a controller', async () => {
        const of = async (path: string) => {
          const answer = await at({ path, token: tokens.ada! });
          return answer.status === 200 ? Object.fromEntries(answer.json().headers)['X-Meshgate-Route'] : answer.status;
        };
        expect(await of('/rest/open/x')).toBe('wiki.example.com/rest/open/*');
        expect(await of('/rest/open')).toBe('wiki.example.com/rest/open/*');
        expect(await of('/rest/opener')).toBe('wiki.example.com/rest/*');
        expect(await of('/restful')).toBe('wiki.example.com/*');
        expect(await of('/status')).toBe('wiki.example.com/status');
        expect(await of('/status/')).toBe('wiki.example.com/*');
        expect(await of('/rest/%0a')).toBe('wiki.example.com/rest/*');
      });

      test('raw paths and the paths of the check are rejected', async () => {
        const paths = ['/rest/../page', '/rest/%2e%2e/page', '//status', '/status;a', '/status%2fx', '/status/.'];
        const statuses = await Promise.all(paths.map(async (path) => (await at({ path, token: tokens.ada! })).status));
        expect(statuses).toEqual(paths.map(() => 400));
        for (const path of ['/.meshgate/check/-', '/.meshgate/check;-', '/.meshgate/bad', '/.meshgate/x'])
          expect([path, [400, 401, 404].includes((await at({ path, token: tokens.ada! })).status)]).toEqual([
            path,
            true,
          ]);
      });

      test('a browser is sent to the provider', async () => {
        const page = await at({ path: '/page?q=1', headers: opening });
        expect(page.status).toBe(303);
        expect(page.header('Location')).toMatch(/^\/\.meshgate\/signin\?/);
        const signin = await at({ path: page.header('Location')!, headers: opening });
        const to = new URL(signin.header('Location')!);
        expect([signin.status, to.origin]).toEqual([303, provider.issuer]);
        expect(to.searchParams.get('redirect_uri')).toBe(`https://${WIKI}:${set.httpsPort}/.meshgate/callback`);
      });

      test('a session passes, its cookie is not forwarded, and the service cannot set it', async () => {
        const sealer = await Sealer.of(set.policy, ring);
        const cookie = await sealer.cookie(WIKI, sealer.session('corp', { sub: 'ben', groups: ['staff'] }));
        const own = encodeURIComponent('Set-Cookie:__Host-Http-meshgate-s=evil; Path=/; Secure');
        const kept = encodeURIComponent('Set-Cookie:a=1');
        const path = `/page?echo-header=${own}&echo-header=${kept}`;
        const answer = await at({ path, headers: { Cookie: `b=2; ${cookie}`, ...opening } });
        expect(answer.status).toBe(200);
        const values = Object.fromEntries(answer.json().headers);
        expect(values).toMatchObject({ Cookie: 'b=2', 'X-Forwarded-User': 'ben' });
        expect(answer.all('Set-Cookie').join()).toContain('a=1');
        expect(answer.all('Set-Cookie').join()).not.toMatch(/evil(?!.*nosecure)/);
      });

      test('a WebSocket opens with a credential and not without, and h2c opens no tunnel', async () => {
        const upgrade = (to: string, token?: string) =>
          rawRequest('GET /socket HTTP/1.1', [
            ['Host', WIKI],
            ...(token === undefined ? [] : ([['Authorization', `Bearer ${token}`]] as const)),
            ['Connection', 'Upgrade'],
            ['Upgrade', to],
            ['Sec-WebSocket-Version', '13'],
            ['Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ=='],
          ]);
        const target = targetOf(stage, box.host, set);
        const status = async (bytes: string) => (await sendRaw(target, bytes)).answers[0]!.status;
        expect(await status(upgrade('websocket', tokens.ada))).toBe(101);
        expect(await status(upgrade('websocket'))).toBe(401);
        expect(await status(upgrade('h2c', tokens.ada))).toBe(200);
      });

      test('plain HTTP, and another host on the connection, reach no service', async () => {
        const plain = { host: box.host, port: set.httpPort, tls: false, name: WIKI };
        const overHttp = await send(plain, { path: '/status', token: tokens.ada! });
        expect([301, 404]).toContain(overHttp.status);
        if (overHttp.status === 301)
          expect(overHttp.header('Location')).toBe(`https://${WIKI}:${set.httpsPort}/status`);
        if (name === 'nic-mergeable') return; // it has no other host
        const target = targetOf(stage, box.host, set, 'other.example.com');
        const other = await send(target, { path: '/status', headers: { Host: WIKI }, token: tokens.ada! });
        expect(other.status).toBe(421);
      });

      // The mergeable Ingresses have no other host.
      const testTenant = name === 'nic-mergeable' ? undefined : test;
      testTenant?.('the other tenant is served as without the gateway', async () => {
        const received = async (from: Filled) => {
          const target = targetOf(stage, box.host, from, 'other.example.com');
          const sent = { path: '/rest/..%2fx?q=1', headers: { 'X-Forwarded-User': 'u', X_Y: '1', Cookie: 'a=1' } };
          const answer = await send(target, sent);
          const { service, url, headers } = answer.json();
          const own = answer.headers.filter(([key]) => key !== 'Date' && key !== 'Content-Length');
          const text = JSON.stringify({ status: answer.status, own, service, url, headers });
          return text.replaceAll(String(from.httpsPort), 'PORT');
        };
        const now = await received(set);
        expect(now).toContain('"service":"other"');
        expect(now).toBe(await received(before[index]!));
      });

      // In the other forms no other owner can add a path.
      const hasOthers = name === 'nic-mergeable' || set.rendered.files['nginxproxy.yaml'] !== undefined;
      const testPaths = hasOthers ? test : undefined;
      testPaths?.('paths that another owner adds to the host are closed', async () => {
        for (const path of ['/foreign/', '/foreign/x', '/exact', '/.meshgate/check/wiki.example.com/*']) {
          const answer = await at({ path });
          expect([path, answer.status]).toEqual([path, path.startsWith('/foreign') ? 401 : 404]);
          expect(answer.text).not.toContain('"service":"other"');
        }
        // This is the gap that render prints.
        expect((await at({ path: '/opened' })).text).toContain('"service":"other"');
        expect(set.rendered.reported).toContain('can add an exact path with "auth_request off" to this host');
        // The check is still the gateway's.
        expect((await at({ path: '/page', token: tokens.cleo! })).status).toBe(403);
        expect((await at({ path: '/page' })).status).toBe(401);
      });
    });
  }

  test('HTTP/2 works where the controller has it', async () => {
    for (const [index, { target, form }] of FORMS.entries()) {
      if (target !== 'ngf' && form !== 'configmap') continue;
      const answers = await sendHttp2(targetOf(stage, box.host, sets[index]!), [
        { path: '/page', token: tokens.ada! },
        { path: '/page' },
      ]);
      expect(answers.map(({ status }) => status)).toEqual([200, 401]);
    }
  });

  test.each(['njs', 'qjs'])('API keys of NIC work with the replacement in the engine %s', async (engine) => {
    const target = { host: box.host, port: engine === 'njs' ? 7001 : 7002, tls: false, name: 'keys' };
    const of = async (key?: string) =>
      (await send(target, { path: '/', headers: key === undefined ? {} : { 'X-Api-Key': key } })).status;
    expect(await of()).toBe(401);
    expect(await of('another')).toBe(403);
    const answer = await send(target, { path: '/', headers: { 'X-Api-Key': 'secret' } });
    expect([answer.status, answer.header('X-Client')]).toEqual([200, 'ada']);
  });
});
