/** The matrix, see matrix.test.ts, on Linkerd's documented rules: they are evaluated here, over what is rendered. */
import { afterAll, describe, expect, test } from 'vitest';
import { consulCells as crossed } from './consul/cells.ts';
import { LINKERD_ALTERNATIVES, LINKERD_EQUIVALENTS } from './linkerd/equivalents.ts';
import { LinkerdSide } from './linkerd/side.ts';
import { linkerdSubjects } from './linkerd/subjects.ts';
import { agree } from './matrix/agree.ts';
import { unasked } from './matrix/cells.ts';
import { Equivalents } from './matrix/equivalents.ts';
import { search } from './matrix/mutant-search.ts';
import { mutantsOf } from './matrix/mutants.ts';
import { lines, Report, survivorLines } from './matrix/report.ts';

const report = new Report('linkerd');
const equivalents = new Equivalents(LINKERD_EQUIVALENTS);
const subjects = await linkerdSubjects();
let finished = 0;
afterAll(() => {
  // Of a run of some tests only, nothing is written.
  if (finished === subjects.length) report.write();
});

describe.each(subjects.map((subject) => [subject.name, subject] as const))('%s', (name, subject) => {
  const { policy, rules } = subject;
  // Routes are rendered one for each method and path, as permissions of Consul are.
  const cells = crossed(subject);
  const side = new LinkerdSide(policy, rules);

  test('the cells cover each rule', () => {
    expect(unasked(rules, cells)).toEqual([]);
  });

  test('Linkerd decides as the policy says', async () => {
    const { requested, disagreements } = await agree(side, cells);
    report.agreed(name, side.name, requested, disagreements);
    expect(lines(disagreements)).toEqual([]);
  });

  // Forty services of one form would be forty times the same.
  if (!name.startsWith('40 hosts')) {
    test('no field of Linkerd’s objects can change unnoticed', { timeout: 300_000 }, async () => {
      const { mutants } = mutantsOf(side.objects, [], [], LINKERD_ALTERNATIVES);
      const found = await search(side, cells, mutants, (mutant) => equivalents.reason(mutant, side.objects));
      report.hunted(name, side.name, found);
      expect(survivorLines(found)).toEqual([]);
    });
  }

  test('the whole matrix ran', () => {
    finished += 1;
  });
});

test('each reason that excuses a change is needed', () => {
  if (finished === subjects.length) expect(equivalents.unused).toEqual([]);
});
