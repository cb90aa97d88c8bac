/** The matrix, see matrix.test.ts, on Consul's documented rules: they are evaluated here, over what is rendered. */
import { afterAll, describe, expect, test } from 'vitest';
import { consulCells } from './consul/cells.ts';
import { CONSUL_ALTERNATIVES, CONSUL_EXCLUSIONS } from './consul/exclusions.ts';
import { ConsulSide } from './consul/side.ts';
import { consulSubjects } from './consul/subjects.ts';
import { agree } from './matrix/agree.ts';
import { unasked } from './matrix/cells.ts';
import { search } from './matrix/mutant-search.ts';
import { mutantsOf } from './matrix/mutants.ts';
import { lines, Report, survivorLines } from './matrix/report.ts';

const report = new Report('consul');
const subjects = await consulSubjects();
let finished = 0;
afterAll(() => {
  // Of a run of some tests only, nothing is written.
  if (finished === subjects.length) report.write();
});

/** Why a change may go unnoticed. */
const SAME = ['Consul fills in the same value', 'the audience is asked for twice'];

describe.each(subjects.map((subject) => [subject.name, subject] as const))('%s', (name, subject) => {
  const side = new ConsulSide(subject.policy, subject.rules);
  const cells = consulCells(subject);

  test('the cells cover each rule', () => {
    expect(unasked(subject.rules, cells)).toEqual([]);
  });

  test('Consul decides as the policy says', async () => {
    const { requested, disagreements } = await agree(side, cells);
    report.agreed(name, side.name, requested, disagreements);
    expect(lines(disagreements)).toEqual([]);
    expect(requested).toBeGreaterThan(100);
  });

  // Forty services of one form would be forty times the same; what changes of tools, reading them back notices.
  if (!/^(40 hosts|tools)/.test(name)) {
    test('no field of Consul’s objects can change unnoticed', async () => {
      const { mutants } = mutantsOf(side.objects, CONSUL_EXCLUSIONS, [], CONSUL_ALTERNATIVES);
      const found = await search(side, cells, mutants, ({ version }) => side.same(version));
      report.hunted(name, side.name, found);
      expect(survivorLines(found)).toEqual([]);
      expect([...new Set(found.equivalent.map(({ reason }) => reason))].filter((it) => !SAME.includes(it))).toEqual([]);
      expect(found.kills.length).toBeGreaterThan(300);
    });
  }

  test('the whole matrix ran', () => {
    finished += 1;
  });
});
