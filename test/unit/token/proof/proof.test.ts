import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { holds } from '../../../harness/property.ts';
import { proofRunner } from './case.ts';
import { proofSpecs } from './specs.ts';

describe('verifyProof', () => {
  const run = proofRunner();

  it('has a name of its own for each spec', () => {
    expect(new Set(proofSpecs.map(({ name }) => name)).size).toBe(proofSpecs.length);
  });

  it.each(proofSpecs)('$name: $outcome', async (one) => {
    expect(await run(one)).toBeUndefined();
  });

  it('depends on no earlier run: all again, backwards, with the same keys', async () => {
    const wrong: string[] = [];
    for (const one of [...proofSpecs].reverse()) {
      const problem = await run(one);
      if (problem !== undefined) wrong.push(problem);
    }
    expect(wrong).toEqual([]);
  });

  it('takes no proof with any one character changed, and never throws', async () => {
    const [good] = proofSpecs;
    await holds(
      fc.asyncProperty(fc.nat(), fc.string({ minLength: 1, maxLength: 1 }), async (place, char) => {
        const at = place % good!.proof.length;
        const proof = good!.proof.slice(0, at) + char + good!.proof.slice(at + 1);
        if (proof === good!.proof) return;
        expect(await run({ ...good!, name: 'changed', proof, outcome: 'proof_invalid' })).toBeUndefined();
      }),
      500,
    );
  });
});
