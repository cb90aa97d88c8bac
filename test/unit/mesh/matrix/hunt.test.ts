/** A matrix that cannot fail is worth nothing: what is planted is found. */
import { describe, expect, test } from 'vitest';
import { decide } from '../../../../src/rules/decide.ts';
import { match } from '../../../../src/rules/match.ts';
import type { Rule } from '../../../../src/rules/types.ts';
import { agree } from '../../../mesh/matrix/agree.ts';
import { cellsOf } from '../../../mesh/matrix/cells.ts';
import { Equivalents } from '../../../mesh/matrix/equivalents.ts';
import { hunt } from '../../../mesh/matrix/hunt.ts';
import { mutantsOf } from '../../../mesh/matrix/mutants.ts';
import { envoySubjects } from '../../../mesh/matrix/policies.ts';
import { lines, survivorLines } from '../../../mesh/matrix/report.ts';
import type { Answer, Cell, Mutable, Rendered, Trial } from '../../../mesh/matrix/types.ts';

const subject = (await envoySubjects('https://issuers:8443/acme')).find(({ name }) => name === 'confluence')!;
const { policy, rules } = subject;
const cells = cellsOf(policy, rules).filter(({ connects, part }) => connects.kind === 'right' && part !== 'as');

/** Decides by the rules that an object has, as JSON. */
function decided(cell: Cell, own: readonly Rule[]): Answer {
  const matched = match(policy.hosts, cell.host, cell.path);
  if ('reason' in matched) return 'refused: path';
  if (cell.credential?.flaw !== undefined) return 'refused: credential';
  const asked = { route: matched.route.name, method: cell.method };
  return decide(own, cell.credential ?? null, asked).allow ? 'allowed' : 'refused: rules';
}

const kept = rules.map(({ id, route, methods, who, service, as }) => ({ id, route, methods, who, service, as }));
/** `comment` does nothing, and `must` has to be true. */
const objects: readonly Rendered[] = [{ name: 'rules', value: { must: true, comment: 'x', rules: kept } }];

/** A side that decides by its objects; `lie` answers for it where it answers at all. */
function sideWith(lie: (cell: Cell, answer: Answer) => Answer = (_, answer) => answer): Mutable {
  const ask = (version: readonly Rendered[]) => (cell: Cell) => {
    const { rules: own = [] } = version[0]!.value as { rules?: readonly Rule[] };
    return lie(cell, decided(cell, own));
  };
  return {
    name: 'made up',
    objects,
    expected: (cell) => decided(cell, rules),
    ask: ask(objects),
    *trials(versions): Generator<Trial> {
      for (const version of versions) {
        const { must, rules: own } = version[0]!.value as { must?: boolean; rules?: readonly Rule[] };
        const odd = own?.some((rule) => !rule.who?.kind || !rule.id || !rule.route);
        yield must !== true || odd ? { rejected: 'that is no rule' } : { ask: ask(version) };
      }
    },
  };
}

describe('agreement', () => {
  test('there is, where a side decides by the rules', async () => {
    const { asked, disagreements } = await agree(sideWith(), cells);
    expect([asked, disagreements]).toEqual([cells.length, []]);
  });

  test('a planted disagreement is named, with its request', async () => {
    const planted = cells.find(({ name }) => name === 'wiki.example.com/admin/*#1: role: editor')!;
    const side = sideWith((cell, answer) => (cell === planted ? 'allowed' : answer));
    const { disagreements } = await agree(side, cells);
    expect(lines(disagreements)).toEqual([
      'made up: wiki.example.com/admin/*#1: role: editor (GET wiki.example.com/admin/q): by the policy refused: rules, there allowed',
    ]);
  });

  test('a refusal for another reason is one too', async () => {
    const side = sideWith((_, answer) => (answer === 'refused: credential' ? 'refused: rules' : answer));
    expect((await agree(side, cells)).disagreements.length).toBeGreaterThan(20);
  });

  test('what a side cannot be asked is not counted', async () => {
    const side = sideWith((cell, answer) => (cell.part === 'role' ? 'not askable' : answer));
    const { asked } = await agree(side, cells);
    expect(asked).toBe(cells.filter(({ part }) => part !== 'role').length);
  });
});

/** Ids and routes are names here, service and identity are looked at nowhere. */
const named = new Equivalents([
  {
    at: /\/rules\/\d+\/(id|service|as|methods)$/,
    proves: ({ path, change }) => !/methods/.test(path) || /PURGE/.test(change),
    reason: 'a name',
  },
  { at: /\/comment$/, reason: 'a comment' },
]);

describe('the hunt', () => {
  const { mutants } = mutantsOf(objects);

  test('what changes a rule is noticed, what does not is not', async () => {
    const found = await hunt(sideWith(), cells, mutants, (mutant) => named.reason(mutant, objects), { lanes: 2 });
    expect(found.survivors.filter(({ path }) => !path.includes('rules/'))).toEqual([]);
    expect(found.kills.length + found.survivors.length + found.equivalent.length).toBe(mutants.length);
    expect(found.kills.filter(({ by }) => 'rejected' in by).length).toBeGreaterThan(10);
    expect(found.equivalent.map(({ reason }) => reason)).toContain('a comment');
  });

  test('a planted dead mutant survives, and is named', async () => {
    const comment = mutants.filter(({ path }) => path === 'comment');
    const found = await hunt(sideWith(), cells, comment);
    expect(survivorLines(found)).toEqual(['rules/comment: changed', 'rules/comment: dropped']);
  });

  test('without the cells of a part, what they notice survives', async () => {
    const methods = mutants.filter(({ path, change }) => /rules\/1\/methods$/.test(path) && change === 'dropped');
    expect(methods).toHaveLength(1);
    expect((await hunt(sideWith(), cells, methods)).survivors).toEqual([]);
    const less = cells.filter(({ part }) => part !== 'method');
    expect((await hunt(sideWith(), less, methods)).survivors).toEqual(methods);
  });

  test('a mutant is not held to be the same before cells were asked', async () => {
    const must = mutants.filter(({ path }) => path === 'rules');
    const found = await hunt(sideWith(), cells, must, () => 'nothing matters');
    expect([found.equivalent, found.kills.length]).toEqual([[], must.length]);
  });

  test('where what was rendered is told from itself, there is no hunt', async () => {
    const wrong = sideWith((cell, answer) => (cell.part === 'expiry' ? 'allowed' : answer));
    await expect(hunt(wrong, cells, mutants)).rejects.toThrow(/made up: what was rendered: .*expired/);
  });

  test('of mutants that are not taken others of their shape are not tried', async () => {
    let tried = 0;
    const side = sideWith();
    const counting: Mutable = {
      ...side,
      *trials(versions) {
        tried += versions.length;
        yield* side.trials(versions) as Iterable<Trial>;
      },
    };
    const ids = mutants.filter(({ path, change }) => /rules\/\d+\/id$/.test(path) && change === 'dropped');
    const found = await hunt(counting, cells, ids, undefined, { ofShape: 1 });
    expect(found.kills).toHaveLength(ids.length);
    expect(tried).toBeLessThan(ids.length);
  });
});

test('a reason that no mutant needs is told', () => {
  const list = new Equivalents([
    { at: /^rules\/comment$/, reason: 'a comment' },
    { at: /^rules\/nowhere$/, reason: 'nothing' },
  ]);
  const reasons = mutantsOf(objects).mutants.map((mutant) => list.reason(mutant, objects));
  expect(reasons.filter((it) => it !== undefined)).toEqual(['a comment', 'a comment']);
  expect(list.unused).toEqual(['nothing']);
});
