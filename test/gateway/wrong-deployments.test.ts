/** Wrong deployments of the image: each is reported before the first request, by the text of docs/troubleshooting.md. */
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { newSigningKeys } from '../../src/assertion/rotate.ts';
import { newRing } from '../../src/session/keys/rotate-ring.ts';
import { bareImage, GUIDE_OPTIONS, RunningImage, startIssuer, testStage } from '../harness/index.ts';

const stage = await testStage('wrong-deployments');
const issuers = await startIssuer(stage);
await Promise.all([issuers.create('okta'), issuers.create('other')]);
const wrong = await issuers.create('wrong');
await wrong.serveDiscovery({
  body: JSON.stringify({ issuer: `${issuers.origin}/other`, jwks_uri: `${issuers.origin}${wrong.jwksPath}` }),
});

const MINUTE = 60_000;
const life = (from: number, to: number) => ({
  notBefore: new Date(Date.now() + from * MINUTE),
  notAfter: new Date(Date.now() + to * MINUTE),
});
const SPIFFE = 'spiffe://example.org/ns/edge/sa/gateway';
const POLICY = 'etc/meshgate/meshgate.yaml';

const policy = `version: 1
gateway:
  tls: { cert_file: /run/tls/tls.crt, key_file: /run/tls/tls.key }
  assertion: { issuer: https://gateway.test, keys_file: /run/secrets/assertion.jwks }
  session: { keys_file: /run/secrets/session.jwks }
providers:
  okta:
    issuer: ${issuers.origin}/okta
    audiences: [wiki]
    ca_file: /run/provider/ca.pem
    client: { id: meshgate, secret_file: /run/secrets/okta }
mesh:
  kind: envoy
  trust_domain: example.org
  ingress: { address: "issuers:8443", ca_file: /run/mesh/ca.pem }
  identities:
    default: { spiffe: "${SPIFFE}", svid_dir: /run/spiffe/default }
services:
  wiki: { authority: wiki.test }
hosts:
  wiki.test:
    /*: { service: wiki, accept: [bearer, session], allow: [authenticated] }
`;

const now = Date.now() / 1000;
const ring = newRing(now);
const signing = await newSigningKeys(now);
const [server, other, expired, expiring, svid, oldSvid] = await Promise.all([
  stage.ca.server('wiki.test', life(-5, 60 * 24 * 90)),
  stage.ca.server('wiki.test', life(-5, 60 * 24 * 90)),
  stage.ca.server('wiki.test', life(-120, -60)),
  stage.ca.server('wiki.test', life(-60 * 24 * 88, 60 * 24 * 2)),
  stage.meshCa.client(SPIFFE, life(-5, 60)),
  stage.meshCa.client(SPIFFE, life(-120, -60)),
]);

/** The files of a right deployment, by their path in the container without the first slash. */
const right: Readonly<Record<string, string>> = {
  [POLICY]: policy,
  'run/tls/tls.crt': server.cert,
  'run/tls/tls.key': server.key,
  'run/secrets/session.jwks': ring,
  'run/secrets/assertion.jwks': signing,
  'run/secrets/okta': 'a client secret\n',
  'run/provider/ca.pem': stage.ca.cert,
  'run/mesh/ca.pem': stage.meshCa.cert,
  'run/spiffe/default/svid.pem': svid.cert,
  'run/spiffe/default/svid_key.pem': svid.key,
};
const FOLDERS = ['etc/meshgate', 'run/tls', 'run/secrets', 'run/provider', 'run/mesh', 'run/spiffe'];

interface Mistake {
  /** Files that differ; null: the file is missing. */
  readonly files?: Readonly<Record<string, string | null>>;
  readonly modes?: Readonly<Record<string, number>>;
  readonly options?: (options: readonly string[]) => readonly string[];
  /** Whether it has no volume for its state. */
  readonly stateless?: true;
}

const provider = (change: (text: string) => string): Mistake => ({ files: { [POLICY]: change(policy) } });

const overdue = JSON.stringify({
  keys: (JSON.parse(ring).keys as object[]).map((key) => ({ ...key, until: Math.floor(now) - 60 })),
});

/** Mistakes with which the image does not start, by the text that reports them. */
const stops: Readonly<Record<string, Mistake>> = {
  'no policy at /etc/meshgate/meshgate.yaml': { files: { [POLICY]: null } },
  'may not enter the folder /etc/meshgate': { modes: { 'etc/meshgate': 0o700 } },
  'may not read the policy /etc/meshgate/meshgate.yaml': { modes: { [POLICY]: 0o600 } },
  'the policy /etc/meshgate/meshgate.yaml could not be rendered': provider((text) =>
    text.replace('service: wiki', 'service: wuki'),
  ),
  'only this path itself is this route': provider(
    (text) => `${text}    /admin/: { service: wiki, accept: [bearer, session], allow: [authenticated] }\n`,
  ),
  '/run/meshgate is not writable': {
    options: (all) => all.filter((_, i) => all[i] !== '--tmpfs' && all[i - 1] !== '--tmpfs'),
  },
  'does not run as root': { options: (all) => [...all, '--user', '0'] },
  'mount a volume at /var/lib/meshgate': { stateless: true },
  'may not write to /var/lib/meshgate': { modes: { state: 0o500 } },
  'the variable STAGE is not allowed': provider((text) => text.replace('[wiki]', '["${STAGE}"]')),
  'certificate of gateway (/run/tls/tls.crt): file_missing': { files: { 'run/tls/tls.crt': null } },
  'certificate of gateway (/run/tls/tls.key): file_unreadable': { modes: { 'run/tls/tls.key': 0o600 } },
  'certificate of gateway (/run/tls/tls.crt): certificate_key_mismatch': { files: { 'run/tls/tls.key': other.key } },
  'CA of ingress default (/run/mesh/ca.pem): file_missing': { files: { 'run/mesh/ca.pem': null } },
};

const RING = 'run/secrets/session.jwks';
const SECRET = 'run/secrets/okta';

/** Mistakes with which the image starts. */
const starts: Readonly<Record<string, Mistake>> = {
  'session keys (/run/secrets/session.jwks): file_missing': { files: { [RING]: null } },
  'session keys (/run/secrets/session.jwks): file_unreadable': { modes: { [RING]: 0o600 } },
  'session keys (/run/secrets/session.jwks): keys_file_empty': { files: { [RING]: '' } },
  'session keys (/run/secrets/session.jwks): keys_file_expired': { files: { [RING]: overdue } },
  'signing keys (/run/secrets/assertion.jwks): keys_file_malformed': { files: { 'run/secrets/assertion.jwks': ring } },
  'client secret of provider okta (/run/secrets/okta): file_missing': { files: { [SECRET]: null } },
  'client secret of provider okta (/run/secrets/okta): file_unreadable': { modes: { [SECRET]: 0o600 } },
  'client secret of provider okta (/run/secrets/okta): secret_empty': { files: { [SECRET]: '\n' } },
  'client secret of provider okta (/run/secrets/okta): file_exposed': { modes: { [SECRET]: 0o644 } },
  'certificate of gateway (/run/tls/tls.crt): certificate_expired': {
    files: { 'run/tls/tls.crt': expired.cert, 'run/tls/tls.key': expired.key },
  },
  'certificate of gateway (/run/tls/tls.crt): certificate_expiring': {
    files: { 'run/tls/tls.crt': expiring.cert, 'run/tls/tls.key': expiring.key },
  },
  'SVID of identity default (/run/spiffe/default/svid.pem): svid_expired': {
    files: { 'run/spiffe/default/svid.pem': oldSvid.cert, 'run/spiffe/default/svid_key.pem': oldSvid.key },
  },
  'SVID of identity default (/run/spiffe/default/svid.pem): file_missing': {
    files: { 'run/spiffe/default/svid.pem': null },
  },
  'its name could not be resolved': provider((text) => text.replace(issuers.origin, 'https://okta.invalid')),
  'Connection refused': provider((text) => text.replace(issuers.origin, issuers.origin.replace('8443', '9'))),
  'certificate verify error': { files: { 'run/provider/ca.pem': stage.meshCa.cert } },
  'the policy says': provider((text) => text.replace('/okta', '/wrong')),
};

/** test/gateway/watch.test.ts makes this mistake. */
const REJECTED = 'the change is rejected, and nginx keeps what it has loaded';
const REPLACED = '/etc/meshgate/meshgate.yaml was replaced outside';

mkdirSync('test-results', { recursive: true });
const root = mkdtempSync(resolve('test-results', 'wrong-'));
chmodSync(root, 0o755);

/** Runs a command as root in a container, with the folder of this test at /w. */
function asRoot(command: string): void {
  const args = ['run', '--rm', '--user', '0', '--entrypoint', '', '-v', `${root}:/w`, bareImage, 'sh', '-ec', command];
  const { status, stderr } = spawnSync('docker', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
}

function write(folder: string, { files = {} }: Mistake): void {
  for (const name of [...FOLDERS, 'state']) mkdirSync(join(folder, name), { recursive: true, mode: 0o755 });
  for (const [path, text] of Object.entries({ ...right, ...files })) {
    if (text === null) continue;
    mkdirSync(dirname(join(folder, path)), { recursive: true, mode: 0o755 });
    writeFileSync(join(folder, path), text);
  }
}

function runIn(folder: string, { options = (all) => all, stateless }: Mistake, single = false): RunningImage {
  const state = stateless ? [] : ['-v', `${join(folder, 'state')}:/var/lib/meshgate`];
  const folders = FOLDERS.filter((name) => !single || name !== 'etc/meshgate');
  const mounts = [...folders, ...(single ? [POLICY] : [])].map((name) => [`/${name}`, join(folder, name)] as const);
  return new RunningImage({
    mounts: Object.fromEntries(mounts),
    options: [...options(GUIDE_OPTIONS), ...state, '--network', stage.network.getName()],
    env: { MESHGATE_WORKERS: '1' },
  });
}

const all = Object.entries({ ...stops, ...starts });
const folderOf = (text: string) => join(root, String(all.findIndex(([one]) => one === text)));
const [good, mounted] = [join(root, 'right'), join(root, 'mounted')];
for (const [text, mistake] of all) write(folderOf(text), mistake);
write(good, {});
cpSync(good, mounted, { recursive: true });
const modes = all.flatMap(([text, { modes: own = {} }]) =>
  Object.entries(own).map(
    ([path, mode]) => `chmod ${mode.toString(8)} /w/${folderOf(text).slice(root.length + 1)}/${path}`,
  ),
);
const isFile = '-type f -exec chmod 0640 {} +';
asRoot(`chown -R 0:10101 /w/*; find /w ${isFile}; chown 10101 /w/*/state; ${modes.join('; ')}`);

const running: RunningImage[] = [];
afterAll(() => {
  for (const image of running) image.stop();
  asRoot(`chown -R ${process.getuid?.()}:${process.getgid?.()} /w/*`);
  rmSync(root, { recursive: true });
});

/** Four containers start at a time. */
async function inTurn<T>(items: readonly T[], act: (item: T) => Promise<void>): Promise<void> {
  const waiting = [...items];
  const lane = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await act(next);
  };
  await Promise.all(Array.from({ length: 4 }, lane));
}

interface Ran {
  readonly image: RunningImage;
  readonly started: boolean;
  /** The reasons in readyz. */
  readonly reasons: readonly string[];
  readonly failure?: unknown;
}

async function readyz(image: RunningImage): Promise<string> {
  return (await image.exec('meshgate-health')).stdout;
}

const reasonsIn = (text: string): readonly string[] =>
  [...text.matchAll(/"reason":"(\w+)"/g)].map(([, reason = '']) => reason);

const ran = new Map<string, Ran>();
await inTurn(all, async ([text, mistake]) => {
  const image = runIn(folderOf(text), mistake);
  running.push(image);
  const started = await image.started;
  const failure = await image.says(text).then(
    () => undefined,
    (error: unknown) => error,
  );
  ran.set(text, { image, started, reasons: started ? reasonsIn(await readyz(image)) : [], failure });
  image.stop();
});

/** The texts in the first column of a section of docs/troubleshooting.md. */
function documented(section: string): readonly string[] {
  const text = readFileSync('docs/troubleshooting.md', 'utf8').split(`## ${section}\n`)[1]?.split('\n## ')[0] ?? '';
  return [...text.matchAll(/^\| `([^`]+)` \| \S.* \|$/gm)].map(([, found = '']) => found);
}

test('the document has exactly these mistakes', () => {
  expect(documented('The image does not start').toSorted()).toEqual(Object.keys(stops).sort());
  expect(documented('The image starts, and says what is wrong').toSorted()).toEqual(Object.keys(starts).sort());
  expect(documented('While it runs')).toEqual([REPLACED, REJECTED]);
  expect(all.length + 1).toBeGreaterThanOrEqual(20);
});

describe('the image does not start, and says', () => {
  test.each(Object.keys(stops))('%s', (text) => {
    const { image, started, failure } = ran.get(text)!;
    expect(failure).toBeUndefined();
    expect(started, image.log).toBe(false);
  });
});

describe('the image starts, and says', () => {
  test.each(Object.keys(starts))('%s', (text) => {
    const { image, started, reasons, failure } = ran.get(text)!;
    expect(failure).toBeUndefined();
    expect(started, image.log).toBe(true);
    const [, reason] = /: (\w+)$/.exec(text) ?? [];
    const wanted = reason === undefined ? 'keys_missing' : text.startsWith('SVID') ? /^svid_/ : reason;
    expect(
      reasons.some((one) => one.match(wanted)),
      reasons.join(),
    ).toBe(true);
    // No secret, and no part of a key.
    for (const secret of ['a client secret', JSON.parse(ring).keys[0].k]) expect(image.log).not.toContain(secret);
  });
});

test('a right deployment has none of these lines', async () => {
  const image = runIn(good, {});
  running.push(image);
  expect(await image.started, image.log).toBe(true);
  const is = JSON.parse(await readyz(image));
  expect(is).toMatchObject({
    session: { state: 'ok' },
    assertion: { state: 'ok' },
    clients: { okta: { state: 'ok' } },
    certificates: { gateway: { state: 'ok' } },
    files: { state: 'ok' },
    ca: { state: 'ok' },
  });
  for (const [text] of all) expect(image.log).not.toContain(text);
  image.stop();
});

test(`a reload says: ${REPLACED}`, async () => {
  const image = runIn(mounted, {}, true);
  running.push(image);
  expect(await image.started, image.log).toBe(true);
  writeFileSync(`${join(mounted, POLICY)}.new`, policy.replace('audiences: [wiki]', 'audiences: [other]'));
  renameSync(`${join(mounted, POLICY)}.new`, join(mounted, POLICY));
  const { exitCode, stderr } = await image.exec('meshgate-reload');
  expect(exitCode).toBe(1);
  expect(stderr).toContain(REPLACED);
  image.stop();
});
