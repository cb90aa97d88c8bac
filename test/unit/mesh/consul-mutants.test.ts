/** Requests that are derived from the rules: Consul's documented rules agree on each, and none of its fields is idle. */
import { describe, expect, test } from 'vitest';
import { consulCells } from '../../mesh/consul/cells.ts';
import { CONSUL_ALTERNATIVES, CONSUL_EXCLUSIONS } from '../../mesh/consul/exclusions.ts';
import { ConsulSide } from '../../mesh/consul/side.ts';
import { consulSubjects } from '../../mesh/consul/subjects.ts';
import { agree } from '../../mesh/matrix/agree.ts';

import { hunt } from '../../mesh/matrix/hunt.ts';
import { mutantsOf } from '../../mesh/matrix/mutants.ts';

/** Why a change may go unnoticed. */
const SAME = ['Consul fills in the same value', 'the audience is asked for twice'];

describe.each((await consulSubjects()).map((subject) => [subject.name, subject] as const))('%s', (name, subject) => {
  const side = new ConsulSide(subject.policy, subject.rules);
  const cells = consulCells(subject);

  test('every request is decided as the policy says', async () => {
    const { asked, disagreements } = await agree(side, cells);
    expect(disagreements.map(({ cell, expected, got }) => `${cell.name}: ${expected}, got ${got}`)).toEqual([]);
    expect(asked).toBeGreaterThan(100);
  });

  // Forty services of one form would be forty times the same.
  test.skipIf(name.startsWith('40 hosts'))('every change of a field is noticed', async () => {
    const { mutants } = mutantsOf(side.objects, CONSUL_EXCLUSIONS, [], CONSUL_ALTERNATIVES);
    const { kills, survivors, equivalent } = await hunt(side, cells, mutants, ({ version }) => side.same(version));
    expect(survivors.map(({ object, path, change }) => `${object} ${path} ${change}`)).toEqual([]);
    expect([...new Set(equivalent.map(({ reason }) => reason))].filter((it) => !SAME.includes(it))).toEqual([]);
    expect(kills.length).toBeGreaterThan(300);
  });
});
