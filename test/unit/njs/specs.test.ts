import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { type Box, startContainer } from '../../harness/container.ts';
import { send } from '../../harness/http.ts';
import { bareImage as image } from '../../harness/images.ts';
import { describeWith, lacksImage } from '../../harness/needs.ts';
import { openStage, type Stage } from '../../harness/stage.ts';
import { istioVectors, lacksVectors, rfcVectors, wycheproofVectors } from '../../vectors.ts';
import { audited, NJS_SCRIPT, njsFiles } from '../audit/evolution.ts';
import { kindRun } from '../providers/kinds.ts';
import { buildCase, vectorCase } from '../token/build.ts';
import { proofSpecs } from '../token/proof/specs.ts';
import { specs } from '../token/specs/index.ts';
import type { CaseReport, Cases } from './run.ts';

/** The same specs as in Node, inside njs: the engine differs, and the module's WebCrypto differs from the command's. */

const lacks = lacksImage(image, 'bare');

const configuration = `
load_module /usr/lib/nginx/modules/ngx_http_js_module.so;
daemon off;
error_log /dev/stderr notice;
events {}
http {
  js_engine qjs;
  js_path /specs;
  js_import specs from specs.js;
  server {
    js_engine qjs;
    listen 8080;
    location / { js_content specs.content; }
  }
}
`;

const vectors = lacksVectors() === undefined ? [...wycheproofVectors(), ...rfcVectors(), ...istioVectors()] : [];
const cases: Cases = {
  tokens: [...specs.map(buildCase), ...vectors.map(vectorCase)],
  proofs: proofSpecs,
  kinds: kindRun(),
};

async function bundle(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [new URL('./entry.ts', import.meta.url).pathname],
    inject: [new URL('../../../src/njs/repairs.ts', import.meta.url).pathname],
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    platform: 'neutral',
    external: ['fs', 'crypto'],
  });
  return outputFiles[0]!.text;
}

describeWith(lacks, 'specs and vectors inside njs', () => {
  let stage: Stage;
  let box: Box;

  beforeAll(async () => {
    const files = {
      '/specs/specs.js': await bundle(),
      '/specs/cases.json': JSON.stringify(cases),
      '/specs/nginx.conf': configuration,
      ...njsFiles(),
    };
    stage = await openStage('specs');
    box = await startContainer(stage, {
      image,
      alias: 'specs',
      files,
      command: ['nginx', '-c', '/specs/nginx.conf'],
      ready: /start worker process/,
    });
  }, 600_000);

  afterAll(() => stage?.close());

  function check(report: CaseReport): void {
    expect(report.wrong).toEqual([]);
    expect(report.ran).toBeGreaterThan(2 * (cases.tokens.length + cases.proofs.length + cases.kinds.cases.length));
  }

  it('all pass in the njs command', async () => {
    const { stdout } = await box.exec('njs', '-n', 'QuickJS', '-m', '/specs/specs.js');
    check(JSON.parse(stdout));
  });

  it('the sealer is killed at each change of a file while its key changes, and the log stays whole', async () => {
    const { exitCode, stdout } = await box.exec('sh', '-c', NJS_SCRIPT);
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: '' });
    const to = mkdtempSync(join(tmpdir(), 'meshgate-njs-'));
    onTestFinished(() => rmSync(to, { recursive: true, force: true }));
    execFileSync('docker', ['cp', '-q', `${box.started.getId()}:/sealer`, `${to}/sealer`]);
    const seen = readdirSync(`${to}/sealer/seen`).map((name) => readFileSync(`${to}/sealer/seen/${name}`, 'utf8'));
    const { findings, keys } = await audited(`${to}/sealer/audit`, seen);
    expect(findings).toEqual([]);
    expect(keys).toBeGreaterThan(20);
    expect(seen.length).toBeGreaterThan(40);
  });

  it('all pass in nginx, several times on one worker', async () => {
    for (let round = 0; round < 3; round++) {
      const answer = await send({ host: box.host, port: 8080, tls: false, name: 'specs' });
      check(answer.json());
    }
  });
});
