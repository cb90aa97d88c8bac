/** docs/ingress-nic.md and docs/ingress-ngf.md: the reader renders, and nginx runs what the controllers make of it. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import {
  bareImage,
  follow,
  inFolder,
  readGuide,
  send,
  startContainer,
  startEcho,
  startProvider,
  testStage,
  until,
} from '../../harness/index.ts';
import { describeWith } from '../../harness/needs.ts';
import { fillSet, folderOf, lacksSets, readRendered, targetOf } from '../ingress/controllers.ts';
import { FORMS } from '../ingress/sets.ts';

const lacks = lacksSets();

const stage = await testStage('ways ingress');

/** What the page says about the form configmap. */
const TLS = 'tls: { cert_file: /run/tls/tls.crt, key_file: /run/tls/tls.key }';

/** What the reader of a guide has after its commands, for one form. */
async function read(page: string, form: string) {
  const folder = mkdtempSync(join(tmpdir(), 'meshgate-guide-'));
  try {
    const steps = readGuide(page, {
      sections: ['Five minutes'],
      replace: {
        'https://login.example.com': 'https://idp.test:8443',
        'resolver: [10.96.0.10]': `resolver: [127.0.0.11]\n  ${form === 'configmap' ? TLS : ''}`,
        'http://wiki.wiki.svc.cluster.local:80': 'http://wiki:8080',
        'meshgate render': `node ${resolve('dist/cli.js')} render`,
        ...(page.includes('nic') && { '--form ingress': `--form ${form}` }),
      },
    });
    await follow(steps, inFolder(folder, { PATH: `${dirname(process.execPath)}:/usr/bin:/bin` }));
    const out = readdirSync(folder).find((name) => !name.includes('.'))!;
    return { rendered: readRendered(join(folder, out)), policy: readFileSync(join(folder, 'meshgate.yaml'), 'utf8') };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function fixture() {
  const { pem, cert, key } = await stage.ca.server(['wiki.example.com', 'other.example.com']);
  const [provider] = await Promise.all([
    startProvider(stage, { alias: 'idp.test' }),
    startEcho(stage, { alias: 'wiki' }),
    startEcho(stage, { alias: 'other' }),
  ]);
  const tried = FORMS.filter(({ set }) => set !== 'ngf-snippets-main');
  const sets = await Promise.all(
    tried.map(async (form, index) => {
      const { rendered, policy } = await read(`docs/ingress-${form.target}.md`, form.form);
      const from = {
        '/etc/nginx/meshgate': `${folderOf(index)}/meshgate`,
        '/var/lib/nginx': `${folderOf(index)}/run`,
        '/var/run/nginx': `${folderOf(index)}/run`,
      };
      return fillSet(stage, {
        ...form,
        index,
        policy,
        rendered: { rendered, from },
        pods: 'wiki:8080',
        otherPods: 'other:8080',
        tlsPem: pem,
      });
    }),
  );
  const files: Record<string, string> = { '/run/tls/tls.crt': cert, '/run/tls/tls.key': key };
  for (const set of sets) Object.assign(files, set.files);
  // The provider has no certificate of a public CA.
  files['/etc/ssl/certs/ca-certificates.crt'] = stage.ca.cert;
  const folders = sets.map(({ folder }) => `${folder}/run`).join(' ');
  const starts = sets.map(({ command }) => `${command} 2>&1 &`).join('\n');
  const box = await startContainer(stage, {
    ...{ image: bareImage, alias: 'controllers', files },
    command: ['bash', '-c', `mkdir -p ${folders}; chmod 777 ${folders}\n${starts}\necho all began; wait`],
    ready: /all began/,
  });
  return { provider, sets, box, tried };
}

describeWith(lacks, 'the guides of ingress controllers', async () => {
  const { provider, sets, box, tried } = await fixture();
  let token = '';
  beforeAll(async () => {
    token = await provider.token('ada');
  });

  test.each(tried.map(({ set }, index) => [set, index] as const))(
    '%s: the page is protected, and a forgery is rejected',
    async (_, index) => {
      const target = targetOf(stage, box.host, sets[index]!);
      await until(async () => (await send(target, { path: '/', token }).catch(() => undefined))?.status === 200, {
        what: 'a request with a token to pass',
        help: () => box.logs.tail(40),
      });
      expect((await send(target, { path: '/' })).status).toBe(401);
      const forged = await send(target, { path: '/', token: `${token.slice(0, -6)}AAAAAA` });
      expect([forged.status, forged.json().reason]).toEqual([401, 'signature_invalid']);
      expect((await send(target, { path: '/status' })).json().service).toBe('wiki');
    },
  );
});
