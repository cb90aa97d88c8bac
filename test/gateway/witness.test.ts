/**
 * The gateway asks the witnesses of its log for cosignatures, through its egress server. One witness is the command
 * `audit witness`, one hangs, one is dead, and one has a certificate of an unknown CA. The policy names the CA of the first. A real sealer makes the log.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { parseVkey } from '../../src/audit/log/note.ts';
import { verifyLog } from '../../src/audit/verify/verify-log.ts';
import { nodeImage } from '../harness/images.ts';
import { metric, startContainer, startGateway, testStage, until } from '../harness/index.ts';
import { newLines } from '../unit/audit/seal-lab.ts';
import { type NoteKey, noteKey } from '../unit/audit/sealed-log.ts';

const stage = await testStage('witness');
const host = 'wiki.test';
const folder = '/run/meshgate/audit';
const origin = `${host}/meshgate/gw-0`;
const ca = '/etc/meshgate/witness-ca.pem';
const log = noteKey(origin);
const keys = Object.fromEntries(['good', 'hung', 'dead', 'unknown-ca'].map((name) => [name, noteKey(name, 4)]));
const jwk = ({ name, privateKey }: NoteKey) => JSON.stringify({ ...privateKey.export({ format: 'jwk' }), name });
const tls = await stage.meshCa.server(['witness']);

const witnesses = await startContainer(stage, {
  image: nodeImage,
  alias: 'witness',
  files: {
    '/srv/cli.mjs': readFileSync('dist/cli.js'),
    '/srv/key.json': jwk(keys.good!),
    '/srv/tls.json': JSON.stringify(tls),
    '/srv/witnesses.mjs': `
      import fs from 'node:fs';
      import { createServer } from 'node:net';
      import { request } from 'node:http';
      import { createServer as createTls } from 'node:https';
      import { spawn } from 'node:child_process';
      fs.mkdirSync('/tmp/w');
      fs.copyFileSync('/srv/key.json', '/tmp/w/key');
      createServer(() => {}).listen(7001);
      const tls = JSON.parse(fs.readFileSync('/srv/tls.json', 'utf8'));
      createTls(tls, (_, answer) => answer.end('a request came')).listen(7002);
      createTls(tls, (asked, answer) => {
        const { method, url: path } = asked;
        asked.pipe(request({ port: 7878, method, path }, (from) => {
          answer.writeHead(from.statusCode, from.headers);
          from.pipe(answer);
        }));
      }).listen(7004);
      const args = ['/srv/cli.mjs', 'audit', 'witness', '--folder', '/tmp/w', '--listen', '127.0.0.1:7878', '--log', '${log.vkey}'];
      spawn('node', args, { stdio: 'inherit' });
    `,
  },
  command: ['node', '/srv/witnesses.mjs'],
  ready: /the witness listens on/,
});

const url = {
  good: 'https://witness:7004',
  hung: 'http://witness:7001',
  dead: 'http://witness:7003',
  'unknown-ca': 'https://witness:7002',
};
const gateway = await startGateway(stage, {
  policy: `
version: 1
gateway:
  insecure_http: true
  listen: 8080
  health: { listen: 8081 }
  audit:
    log: /run/meshgate/access.log
    folder: ${folder}
    witnesses:
${Object.entries(url)
  .map(([name, at]) => `      - { url: "${at}", key: ${keys[name]!.vkey}${name === 'good' ? `, ca_file: ${ca}` : ''} }`)
  .join('\n')}
providers:
  acme: { issuer: https://acme.test, audiences: [wiki] }
services:
  wiki: { insecure_url: "http://wiki:8080" }
hosts:
  ${host}:
    /*: { service: wiki, allow: [authenticated] }
`,
  files: { '/opt/seal.js': readFileSync('dist/seal.js', 'utf8'), [ca]: stage.meshCa.cert },
  env: { MESHGATE_SEAL: 'off' },
});

async function run(script: string): Promise<string> {
  const { exitCode, stdout, stderr } = await gateway.box.exec('sh', '-ec', script);
  if (exitCode !== 0) throw new Error(`${script}: ${stderr}`);
  return stdout;
}

/** Seals lines, as meshgate-seal does. */
const seal = (count: number) =>
  run(`printf '%s\n' '${newLines(count).join("' '")}' >>/run/meshgate/access.log
    njs -n QuickJS -m /opt/seal.js /run/meshgate/conf/audit/seal.json </dev/null`);

/** Verifies a copy of the folder as an auditor does. */
async function audit() {
  const to = mkdtempSync(join(tmpdir(), 'meshgate-witness-'));
  onTestFinished(() => rmSync(to, { recursive: true, force: true }));
  execFileSync('docker', ['cp', '-q', `${gateway.box.started.getId()}:${folder}`, `${to}/copy`]);
  const path = (name: string) => join(to, 'copy', name);
  return verifyLog(
    {
      read(name) {
        try {
          return readFileSync(path(name));
        } catch {
          return undefined;
        }
      },
      names: (name) => readdirSync(path(name)).sort(),
    },
    { key: parseVkey(log.vkey), kept: [], witnesses: [parseVkey(keys.good!.vkey)], now: Date.now() / 1000 },
  );
}

const cosignedSize = async () => Number((await run(`cat ${folder}/witness/good-* || true`)).split('\n')[1] ?? 0);

test('a witness cosigns the log, although another one hangs, one is dead, and one has no valid certificate', async () => {
  await run(`mkdir -p ${folder}/private; echo '${jwk(log)}' >${folder}/private/key`);
  await seal(300);
  // The job of the new worker runs at once.
  await gateway.reload();
  await until(async () => (await cosignedSize()) > 300, {
    what: 'the cosignature',
    help: () => gateway.box.logs.tail(),
  });
  const first = await audit();
  expect(first.findings).toEqual([]);
  expect(first.cosigned).toMatchObject([{ witness: 'good', size: first.checkpoint.size }]);

  const problem = (name: keyof typeof url) =>
    gateway.box.logs.since(0).filter((line) => line.includes(`meshgate: the witness ${url[name]}: `));
  await until(() => problem('hung').length > 0, { what: 'the time-out', help: () => gateway.box.logs.tail() });
  expect(problem('hung')[0]).toMatch(/timed out|no answer within 4 s|it answered 504/);
  expect(problem('dead')[0]).toMatch(/no connection/);
  expect(problem('unknown-ca')[0]).toMatch(/no connection/);
  expect(gateway.box.logs.since(0).join('\n')).toMatch(/certificate verify error/);
  expect(problem('good')).toEqual([]);

  const { good, ...others } = await metric(gateway, 'meshgate_witness_age_seconds');
  expect(good).toBeLessThan(60);
  expect(others).toEqual({ hung: Infinity, dead: Infinity, 'unknown-ca': Infinity });

  // No request has come since, so the sealer's status is about this size.
  const statusOf = (name: string) => metric(gateway, `meshgate_audit_${name}`);
  expect(await statusOf('sealed_entries')).toEqual({ '': first.checkpoint.size });
  expect(await statusOf('lag_bytes')).toEqual({ '': 0 });
  expect(await statusOf('error')).toEqual({ '': 0 });
  expect(Date.now() / 1000 - (await statusOf('status_timestamp_seconds'))['']!).toBeLessThan(60);

  // The log grows: the proof comes from the tiles. Problems that last are not logged again.
  await seal(400);
  await gateway.reload();
  await until(async () => (await cosignedSize()) > 700, {
    what: 'the next cosignature',
    help: () => gateway.box.logs.tail(),
  });
  const second = await audit();
  expect(second.findings).toEqual([]);
  expect(problem('dead')).toHaveLength(1);

  // The log is cut off: the witness refuses it, and the gateway says so.
  await run(`rm -r ${folder}/tile ${folder}/checkpoint ${folder}/private/state.json /run/meshgate/access.log`);
  await seal(20);
  await gateway.reload();
  await until(() => problem('good').length > 0, { what: 'the refusal', help: () => gateway.box.logs.tail() });
  expect(problem('good')[0]).toMatch(
    /it has cosigned \d+ leaves of .*, and the log has only \d+: the log was rolled back/,
  );
  expect(witnesses.logs.since(0).join('\n')).toMatch(/has sent \d+ leaves after \d+: it was rolled back/);
  expect((await audit()).findings.map(({ kind }) => kind)).toContain('rollback');
});
