/** docs/package.md, followed to the letter by two readers: one has npm, the other has neither npm nor Node. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, expect, test } from 'vitest';
import {
  type Box,
  filesBelow,
  follow,
  inBox,
  newcomerImage,
  readGuide,
  type Stage,
  startContainer,
  startEcho,
  startProvider,
  testStage,
} from '../../harness/index.ts';

const stage = await testStage('package');
const out = mkdtempSync(join(tmpdir(), 'meshgate-package-'));
afterAll(() => rmSync(out, { recursive: true }));

const env = { ...process.env, SOURCE_DATE_EPOCH: '0' };
const [{ cert, key }] = await Promise.all([
  stage.ca.server(['wiki.example.com']),
  startProvider(stage, { alias: 'idp.example.com', port: 443 }),
  startEcho(stage, { alias: 'wiki.internal', tls: true }),
  promisify(execFile)(process.execPath, ['src/release/release.ts', out], { env }),
]);

/** A machine with a release in the reader's folder, a certificate, and the CAs of provider and service. */
async function machine(on: Stage, alias: string, path: string): Promise<Box> {
  const box = await startContainer(on, {
    image: newcomerImage,
    alias,
    files: {
      ...filesBelow(out, '/root'),
      '/etc/nginx/tls/tls.crt': cert,
      '/etc/nginx/tls/tls.key': key,
      '/etc/ssl/certs/ca-certificates.crt': on.ca.cert + on.meshCa.cert,
    },
    // npm asks its registry about every installation, and the container has no way there.
    env: { PATH: path, npm_config_audit: 'false', npm_config_update_notifier: 'false' },
    command: ['sh', '-c', 'echo 127.0.0.1 wiki.example.com >> /etc/hosts; echo ready; exec sleep infinity'],
    ready: /ready/,
  });
  return box;
}

const SYSTEM = '/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const WAYS = [
  { alias: 'npm', section: 'With npm', path: `/opt/node/bin:${SYSTEM}`, hasNode: true },
  { alias: 'archive', section: 'With the archive', path: SYSTEM, hasNode: false },
];

test.each(WAYS)(
  '$section: the page is protected, and a forgery is rejected',
  async ({ alias, section, path, hasNode }) => {
    const box = await machine(stage, alias, path);
    expect((await box.exec('sh', '-c', 'command -v node npm')).exitCode === 0).toBe(hasNode);
    const steps = readGuide('docs/package.md', { sections: ['The policy', section, 'In nginx', 'Try it'] });
    const done = await follow(steps, inBox(box), { folder: '/root', soon: { 'com/page/1': /"url"/ } });
    const answer = (part: string) => JSON.parse(done.output(part));
    expect(answer('curl -s https://wiki.example.com/page').reason).toBe('credential_missing');
    expect(answer('com/welcome').reason).toBe('credential_missing');
    expect(new Map(answer('com/page/1').headers).get('X-Forwarded-User')).toBe('wiki-index');
    expect(answer('com/page/2').reason).toBe('signature_invalid');
    expect(done.output(' validate ')).toContain('valid');
    // njs has no exit codes of its own.
    const wrong = `echo 'version: 2' | ${hasNode ? 'npx meshgate' : 'meshgate'} validate -`;
    expect(await box.exec('sh', '-c', `cd /root && ${wrong}`)).toMatchObject({ exitCode: 1 });
  },
);
