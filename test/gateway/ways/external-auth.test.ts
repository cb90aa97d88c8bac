/** External authentication in docs/ingress-nic.md and docs/ingress-ngf.md: the reader renders, the image is the sidecar,
 * and nginx runs what the controllers make of the objects. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
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
  startGateway,
  startProvider,
  testStage,
  until,
} from '../../harness/index.ts';
import { describeWith } from '../../harness/needs.ts';
import { lacksSets, readRendered } from '../ingress/controllers.ts';
import { ASKING, fillExtAuth, snippetsOf } from '../ingress/ext-auth.ts';

const lacks = lacksSets();

const stage = await testStage('ways external auth');
const forms = ASKING.filter(({ set }) => set !== 'nic-externalauth-signin');

/** What the reader of a guide has after its commands. */
async function read(target: string, form: string) {
  const folder = mkdtempSync(join(tmpdir(), 'meshgate-guide-'));
  try {
    const steps = readGuide(`docs/ingress-${target}.md`, {
      sections: ['External authentication in five minutes'],
      replace: {
        'https://login.example.com': 'https://idp.test:8443',
        'resolver: [10.96.0.10]': 'resolver: [127.0.0.11]',
        'meshgate render': `node ${resolve('dist/cli.js')} render`,
        '--form external-auth': `--form ${form}`,
        ...(target === 'nic' && { '10.244.1.7/32': '172.16.0.0/12' }),
      },
    });
    await follow(steps, inFolder(folder, { PATH: `${dirname(process.execPath)}:/usr/bin:/bin` }));
    return {
      rendered: readRendered(join(folder, 'asking')),
      policy: readFileSync(join(folder, 'sidecar.yaml'), 'utf8'),
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function fixture() {
  const [provider, { pem: tlsPem }] = await Promise.all([
    startProvider(stage, { alias: 'idp.test' }),
    stage.ca.server(['wiki.example.com', 'other.example.com']),
    startEcho(stage, { alias: 'wiki' }),
    startEcho(stage, { alias: 'other' }),
  ]);
  const guides = await Promise.all(forms.map(({ target, form }) => read(target, form)));
  await startGateway(stage, {
    ...{ policy: guides[0]!.policy, alias: 'sidecar', env: { MESHGATE_MODE: 'sidecar' } },
    // The provider has no certificate of a public CA.
    files: { '/etc/ssl/certs/ca-certificates.crt': stage.ca.cert },
  });
  const auth = { host: 'sidecar', port: 8080 };
  const sets = await Promise.all(
    forms.map((form, index) => {
      const { rendered } = guides[index]!;
      return fillExtAuth(form, index, rendered, { tlsPem, auth, snippets: snippetsOf(rendered) });
    }),
  );
  const folders = sets.map(({ folder }) => `${folder}/run`).join(' ');
  const starts = sets.map(({ command }) => `${command} 2>&1 &`).join('\n');
  const box = await startContainer(stage, {
    ...{ image: bareImage, alias: 'controllers', files: Object.assign({}, ...sets.map(({ files }) => files)) },
    command: ['bash', '-c', `mkdir -p ${folders}; chmod 777 ${folders}\n${starts}\necho all began; wait`],
    ready: /all began/,
  });
  return { provider, sets, box };
}

describeWith(lacks, 'the guides of external authentication', async () => {
  const { provider, sets, box } = await fixture();
  let token = '';
  beforeAll(async () => {
    token = await provider.token('ada');
  });

  test.each(forms.map(({ set }, index) => [set, index] as const))(
    '%s: the page is protected, and a forgery is rejected',
    async (set, index) => {
      const name = 'wiki.example.com';
      const target = { host: box.host, port: sets[index]!.https, tls: true, name, ca: stage.ca.cert };
      await until(async () => (await send(target, { path: '/', token }).catch(() => undefined))?.status === 200, {
        what: 'a request with a token to pass',
        help: () => box.logs.tail(40),
      });
      expect((await send(target, { path: '/' })).status).toBe(401);
      const forged = await send(target, { path: '/', token: `${token.slice(0, -6)}AAAAAA` });
      expect(forged.status).toBe(401);
      if (set.startsWith('nic')) expect(forged.json().reason).toBe('signature_invalid');
      expect((await send(target, { path: '/status' })).json().service).toBe('wiki');
    },
  );
});
