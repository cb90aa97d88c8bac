import { hasEd25519 } from '../../../src/token/keys/import.ts';
import { readKeySet } from '../../../src/token/keys/jwks.ts';
import { auditSpecs } from '../audit/specs.ts';
import { samples as callerSamples } from '../caller/samples.ts';
import { credentialSamples } from '../caller/service-credential-samples.ts';
import { type KindRun, runKinds } from '../providers/run.ts';
import { flowSpecs } from '../session/flow/specs.ts';
import { sessionSpecs } from '../session/specs.ts';
import { caseRunner, mismatch, type TokenCase } from '../token/case.ts';
import { type ProofCase, proofRunner } from '../token/proof/case.ts';
import { x509Samples } from '../x509/samples.ts';

const samples = [...callerSamples, ...credentialSamples, ...x509Samples];

/** The results of a run. */
export interface CaseReport {
  readonly ran: number;
  /** Results that differ from the expected ones. */
  readonly wrong: readonly string[];
  readonly hasEd25519: boolean;
}

function wrongSamples(): string[] {
  const wrong: string[] = [];
  for (const { name, got, wanted } of samples) {
    const outcome = JSON.stringify(got());
    if (outcome !== JSON.stringify(wanted)) wrong.push(`${name}: got ${outcome}, expected ${JSON.stringify(wanted)}`);
  }
  return wrong;
}

async function wrongSessions(): Promise<string[]> {
  const wrong: string[] = [];
  for (const { name, got, wanted } of [...sessionSpecs, ...flowSpecs]) {
    const outcome = JSON.stringify(await got());
    if (outcome !== JSON.stringify(wanted)) wrong.push(`${name}: got ${outcome}, expected ${JSON.stringify(wanted)}`);
  }
  return wrong;
}

async function wrongAudits(ed25519: boolean): Promise<string[]> {
  const wrong: string[] = [];
  for (const { name, got, wanted, needsEd25519 } of auditSpecs) {
    if (needsEd25519 && !ed25519) continue;
    const outcome = JSON.stringify(await got());
    if (outcome !== JSON.stringify(wanted)) wrong.push(`${name}: got ${outcome}, expected ${JSON.stringify(wanted)}`);
  }
  return wrong;
}

/** A document that exceeds an engine's limits is an error like any other. */
async function deepKeySet(): Promise<string[]> {
  const set = await readKeySet(`{"keys":${'['.repeat(100_000)}${']'.repeat(100_000)}}`);
  return set.ok ? ['a key set nested 100,000 deep is taken'] : [];
}

/** Every proof twice, forwards and backwards. */
async function wrongProofs(proofs: readonly ProofCase[]): Promise<string[]> {
  const run = proofRunner();
  const wrong: string[] = [];
  for (const one of [...proofs, ...[...proofs].reverse()]) {
    const problem = await run(one);
    if (problem !== undefined) wrong.push(problem);
  }
  return wrong;
}

/** The cases, as JSON. */
export interface Cases {
  readonly tokens: readonly TokenCase[];
  readonly proofs: readonly ProofCase[];
  readonly kinds: KindRun;
}

/** Runs every case twice, forwards and backwards, every line of each kind of provider, and every sample. No Node in
 * here. */
export async function runCases({ tokens: cases, proofs, kinds }: Cases): Promise<CaseReport> {
  const run = caseRunner();
  const ed25519 = await hasEd25519();
  const wrong = [
    ...wrongSamples(),
    ...(await wrongSessions()),
    ...(await wrongAudits(ed25519)),
    ...(await deepKeySet()),
    ...(await wrongProofs(proofs)),
    ...(await runKinds(kinds)),
  ];
  for (const testCase of [...cases, ...[...cases].reverse()]) {
    const problem = mismatch(testCase, await run(testCase), ed25519);
    if (problem !== undefined) wrong.push(problem);
  }
  return {
    ran:
      2 * (cases.length + proofs.length + kinds.cases.length) + samples.length + sessionSpecs.length + flowSpecs.length,
    wrong,
    hasEd25519: ed25519,
  };
}
