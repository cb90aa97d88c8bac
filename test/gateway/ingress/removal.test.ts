/** What happens if a snippet or a mounted file is lost: nginx does not start, or the host is closed. */
import { expect, test } from 'vitest';
import { bareImage, send, startContainer, startEcho, testStage, until } from '../../harness/index.ts';
import { describeWith } from '../../harness/needs.ts';
import { fillSet, folderOf, lacksSets, policyFor, type Rendered, type Snippets, targetOf } from './controllers.ts';
import { FORMS, guardOf } from './sets.ts';

const lacks = lacksSets();

const stage = await testStage('ingress removal');

interface Loss {
  readonly name: string;
  /** The snippets that are left. */
  readonly left: (snippets: Snippets, rendered: Rendered) => Snippets;
  readonly change?: (files: Record<string, string>) => void;
  /** The object of the host leads to a service without pods, as it is rendered. */
  readonly closed?: true;
  /** Whether nginx notices. */
  readonly stops?: true;
}

const without =
  (...names: readonly string[]) =>
  (snippets: Snippets): Snippets =>
    Object.fromEntries(Object.entries(snippets).filter(([name]) => !names.includes(name)));

/** NIC's own file, instead of the gateway's that is mounted over it. */
const NIC_KEYS = `const c = require('crypto');
function hash(r) { return c.createHash('sha256').update(r.variables.header_query_value || '').digest('hex'); }
export default { hash };
`;

/** NIC gives the location snippet of a master to minions of other namespaces. */
const inherited = (files: Record<string, string>): void => {
  const file = 'conf.d/wiki-wiki.conf';
  const marker = '# location for minion team-b/foreign';
  files[file] = files[file]?.replace(marker, `${marker}\nreturn 503;`) ?? '';
};

function lossesOf({ target, form, set }: (typeof FORMS)[number]): readonly Loss[] {
  const http: Loss = { name: 'the snippet for http', left: without('HTTP'), stops: true };
  const configMap: Loss = { name: 'the whole ConfigMap of NIC', left: without('MAIN', 'HTTP'), stops: true };
  if (form === 'configmap') {
    return [
      http,
      configMap,
      { name: 'the guard', left: without('SERVER') },
      {
        name: 'the whole ConfigMap of NIC, without an object for the host',
        left: () => ({}),
        change: (files) => {
          delete files['conf.d/wiki-wiki.conf'];
        },
      },
    ];
  }
  const objects: readonly Loss[] = [
    http,
    {
      name: 'the snippet for the server',
      left: without('SERVER'),
      ...(form === 'mergeable' && { change: inherited }),
    },
    { name: 'the snippet for locations', left: without('LOCATION') },
    { name: 'everything', left: () => ({}), closed: true },
  ];
  if (target === 'ngf') return objects;
  const annotations: Loss = {
    name:
      form === 'virtualserver'
        ? 'the snippets of the VirtualServer, as without -enable-snippets'
        : 'all annotations of the object',
    left: (snippets, rendered) => ({ ...without('SERVER', 'LOCATION')(snippets), SERVER: guardOf(rendered) }),
  };
  if (set !== 'nic-ingress') return [...objects, configMap, annotations];
  return [
    ...objects,
    configMap,
    annotations,
    { name: 'the snippet for main', left: without('MAIN') },
    {
      name: 'the file for API keys that is mounted over NIC’s',
      left: (all) => all,
      change: (files) => {
        files['njs/apikey_auth.js'] = NIC_KEYS;
      },
    },
  ];
}

/** The forms whose losses are tried: those of NGF's main branch are the same as those of its release. */
const TRIED = FORMS.filter(({ set }) => set !== 'ngf-snippets-main');

const policy = policyFor({ issuer: 'https://provider.test:8443' }, 443);
const { pem, cert, key } = await stage.ca.server(['wiki.example.com', 'other.example.com']);

async function fixture() {
  await Promise.all([startEcho(stage, { alias: 'wiki' }), startEcho(stage, { alias: 'other' })]);
  const volumes = (form: (typeof FORMS)[number]) => ({ ...form, policy, otherPods: 'other:8080', tlsPem: pem });
  const entire = await Promise.all(
    TRIED.map((form, index) => fillSet(stage, { ...volumes(form), index, pods: 'wiki:8080' })),
  );
  let index = TRIED.length;
  const wishes = TRIED.flatMap((form, i) => lossesOf(form).map((loss) => ({ form, i, loss, index: index++ })));
  const lost = await Promise.all(
    wishes.map(async ({ form, i, loss, index }) => {
      const socket = `unix:${folderOf(index)}/run/nginx-${form.target === 'nic' ? 502 : 503}-server.sock`;
      const set = await fillSet(stage, {
        ...volumes(form),
        index,
        rendered: { rendered: entire[i]!.rendered, from: { [folderOf(i)]: folderOf(index) } },
        pods: loss.closed ? socket : 'wiki:8080',
        snippets: (rendered) => loss.left(form.snippets(rendered), rendered),
        ...(loss.change && { change: loss.change }),
      });
      return { form: form.set, loss, set };
    }),
  );
  const files: Record<string, string> = {};
  for (const set of [...entire, ...lost.map((it) => it.set)]) {
    for (const [path, text] of Object.entries(set.files))
      files[path] = text.replace(/^worker_processes +auto;/m, 'worker_processes 1;');
  }
  files['/run/tls/tls.crt'] = cert;
  files['/run/tls/tls.key'] = key;
  const all = [...entire, ...lost.map((it) => it.set)];
  const folders = all.map(({ folder }) => `${folder}/run`).join(' ');
  const starts = lost.flatMap(({ loss, set }) =>
    loss.stops ? [] : [`${set.command} 2>&1 | sed -u 's|^|${set.folder} |' &`],
  );
  const box = await startContainer(stage, {
    ...{ image: bareImage, alias: 'controllers', files },
    command: ['bash', '-c', `mkdir -p ${folders}; chmod 777 ${folders}\n${starts.join('\n')}\necho all began; wait`],
    ready: /all began/,
  });
  return { entire, lost, box };
}

const { entire, lost, box } =
  lacks === undefined ? await fixture() : ({ entire: [], lost: [] } as never as Awaited<ReturnType<typeof fixture>>);

describeWith(lacks, 'a lost snippet', () => {
  test.each(lost.map((it) => [it.form, it.loss.name, it] as const))('%s without %s', async (_, __, { loss, set }) => {
    if (loss.stops) {
      const { exitCode, stderr } = await box.exec('sh', '-c', `${set.command.replace('nginx ', 'nginx -t ')}`);
      expect([exitCode, stderr]).toEqual([1, expect.stringContaining('[emerg]')]);
      return;
    }
    await until(
      () => box.logs.lines.some((line) => line.startsWith(`${set.folder} `) && line.includes('start worker process ')),
      {
        what: `${set.folder} to start`,
        help: () => box.logs.lines.filter((line) => line.startsWith(`${set.folder} `)).join('\n'),
      },
    );
    const target = targetOf(stage, box.host, set);
    // Without everything, the path of another owner leads to this owner's service, as it would without the gateway.
    const paths = ['/', '/page', '/rest/x', '/rest', ...(loss.closed ? [] : ['/foreign/'])];
    for (const path of paths) {
      for (const at of [target, { ...target, tls: false, port: set.httpPort }]) {
        const answer = await send(at, { path }).catch((error: Error) => error);
        if (answer instanceof Error) {
          expect(answer.message).toMatch(/unrecognized name|alert number 112/);
          continue;
        }
        expect([path, answer.status, answer.text.includes('"service"')]).toEqual([path, answer.status, false]);
        expect(answer.status).toBeGreaterThan(300);
      }
    }
  });
});

/** Files without which nginx starts: the mounted copy of the file for API keys, which NIC reads at its own place. */
const UNREAD = ['apikey_auth.js'];

describeWith(lacks, 'a lost file', () => {
  test.each(
    entire
      .filter(({ name }) => ['nic-ingress-configmap', 'nic-ingress', 'ngf-snippets'].includes(name))
      .map((set) => [set.name, set] as const),
  )('%s: nginx does not start without any of the mounted files, or without all of them', async (_, set) => {
    const check = set.command.replace('nginx ', 'nginx -t ');
    const script = `cd ${set.folder}/meshgate
        ${check} 2>/dev/null || echo "does not start at all"
        find . -type f | while read -r file; do
          mv "$file" /tmp/gone; ${check} 2>/dev/null && echo "starts without $file"; mv /tmp/gone "$file"
        done
        cd ..; mv meshgate gone; ${check} 2>/dev/null && echo "starts without all"; mv gone meshgate`;
    const { stdout } = await box.exec('bash', '-c', script);
    const expected = set.name.startsWith('nic') ? UNREAD : [];
    expect(stdout.split('\n').filter((line) => line !== '')).toEqual(
      expected.map((name) => `starts without ./${name}`),
    );
  });
});
