/** docs/nginx.md, followed to the letter in a container with a stock nginx. */
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import {
  bareImage,
  filesBelow,
  follow,
  inBox,
  readGuide,
  send,
  startContainer,
  startEcho,
  startIssuer,
  testStage,
  until,
} from '../harness/index.ts';

const stage = await testStage('existing nginx');

test('the gateway is added to an nginx that exists already', async () => {
  const issuers = await startIssuer(stage, { alias: 'issuers', aliases: ['idp.test'] });
  const idp = 'https://idp.test';
  const acme = await issuers.create('main');
  await issuers.put({
    [acme.discoveryPath]: {
      body: JSON.stringify({ issuer: `${idp}:8443/main`, jwks_uri: `${idp}:8443${acme.jwksPath}` }),
    },
  });
  await startEcho(stage, { alias: 'wiki', tls: true });
  const certificate = await stage.ca.server(['wiki.test']);
  const box = await startContainer(stage, {
    image: bareImage,
    alias: 'nginx',
    files: {
      ...filesBelow('dist', '/root/dist'),
      '/etc/meshgate/ca.pem': stage.ca.cert + stage.meshCa.cert,
      '/etc/meshgate/tls.crt': certificate.cert,
      '/etc/meshgate/tls.key': certificate.key,
    },
    command: [
      'sh',
      '-c',
      'nginx && echo nginx runs && exec tail -F /var/log/nginx/error.log /var/log/nginx/meshgate.log',
    ],
    ready: /nginx runs/,
  });
  expect((await box.exec('cat', '/etc/nginx/modules-enabled/50-mod-http-js.conf')).stdout).toContain('load_module');
  // The test's issuer listens on another port than the document's.
  const steps = readGuide('docs/nginx.md', { replace: { [`${idp}/main`]: `${idp}:8443/main` } });
  await follow(steps, inBox(box), { folder: '/root' });
  const target = { host: box.host, port: 443, tls: true, name: 'wiki.test', ca: stage.ca.cert };
  const token = (groups: string[]) => acme.sign({ iss: `${idp}:8443/main`, aud: 'api://wiki', sub: 'ada', groups });
  const staff = await token(['staff']);
  const passed = await until(
    async () => {
      const answer = await send(target, { path: '/page', token: staff }).catch(() => undefined);
      return answer?.status === 200 ? answer : undefined;
    },
    { what: 'a request of staff that passes' },
  );
  expect(new Map(passed.json().headers).get('X-Forwarded-User')).toBe('ada');
  expect((await send(target, { path: '/page' })).json().reason).toBe('credential_missing');
  expect((await send(target, { path: '/page', token: await token([]) })).json().reason).toBe('role_missing');
  expect((await send(target, { path: '/status' })).status).toBe(200);

  // "Limits for strangers", with 4 connections instead of 256, and one worker.
  const [, front] = /```nginx\n(stream \{\n[\s\S]*?)```/.exec(readFileSync('docs/nginx.md', 'utf8')) ?? [];
  const listen = String.raw`/\[::\]:443/d; s/listen 443 ssl;/listen unix:\/run\/meshgate\/front.sock ssl;/`;
  await box.exec('sed', '-i', listen, '/etc/nginx/conf.d/meshgate.conf');
  await box.exec('sed', '-i', 's/^worker_processes.*/worker_processes 1;/', '/etc/nginx/nginx.conf');
  const block = front?.replace('limit_conn front 256;', 'limit_conn front 4;') ?? '';
  expect(block).toContain('limit_conn front 4;');
  await box.exec('sh', '-c', `cat >> /etc/nginx/nginx.conf <<'END'\n${block}END\nnginx -t && nginx -s reload`);
  await until(
    async () => {
      const sockets = Array.from({ length: 20 }, () => connect(443, box.host));
      let closed = 0;
      for (const socket of sockets) socket.on('error', () => {}).on('close', () => closed++);
      const limited = await until(() => (closed === 16 ? true : undefined), {
        what: '16 closed',
        timeoutMs: 3000,
      }).catch(() => false);
      for (const socket of sockets) socket.destroy();
      return limited ? true : undefined;
    },
    { what: 'four of twenty connections stay open' },
  );
  const again = await until(() => send(target, { path: '/page', token: staff }).catch(() => undefined), {
    what: 'a request through the counted port',
  });
  expect(again.status).toBe(200);
});
