/** The hunt must be able to fail: planted faults are found. */
import { describe, expect, test } from 'vitest';
import { decide } from '../../../../src/rules/decide/decide.ts';
import { match } from '../../../../src/rules/decide/match.ts';
import type { Rule } from '../../../../src/rules/types.ts';
import { agree } from '../../../mesh/matrix/agree.ts';
import { cellsOf } from '../../../mesh/matrix/cells.ts';
import { Equivalents } from '../../../mesh/matrix/equivalents.ts';
import { search } from '../../../mesh/matrix/mutant-search.ts';
import { mutantsOf } from '../../../mesh/matrix/mutants.ts';
import { envoySubjects } from '../../../mesh/matrix/policies.ts';
import { lines, survivorLines } from '../../../mesh/matrix/report.ts';
import type {
  Answer,
  Cell,
  Mutable,
  OriginalTrial,
  Rendered,
  Trial,
  VersionTrial,
} from '../../../mesh/matrix/types.ts';

const subject = (await envoySubjects('https://issuers:8443/acme')).find(({ name }) => name === 'confluence')!;
const { policy, rules } = subject;
const cells = cellsOf(policy, rules).filter(({ connects, part }) => connects.kind === 'right' && part !== 'as');

/** Decides by the rules that an object has, as JSON. */
function decided(cell: Cell, own: readonly Rule[]): Answer {
  const matched = match(policy.hosts, cell.host, cell.path);
  if ('reason' in matched) return 'refused: path';
  if (cell.credential?.flaw !== undefined) return 'refused: credential';
  const requested = { route: matched.route.name, method: cell.method };
  return decide(own, cell.credential ?? null, requested).allow ? 'allowed' : 'refused: rules';
}

const kept = rules.map(({ id, route, methods, who, service, as }) => ({ id, route, methods, who, service, as }));
/** `comment` has no effect, and `must` has to be true. */
const objects: readonly Rendered[] = [{ name: 'rules', value: { must: true, comment: 'x', rules: kept } }];

/** A side that decides by its objects; `lie` replaces its answers. */
function sideWith(lie: (cell: Cell, answer: Answer) => Answer = (_, answer) => answer): Mutable {
  const ask = (version: readonly Rendered[]) => (cell: Cell) => {
    const { rules: own = [] } = version[0]!.value as { rules?: readonly Rule[] };
    return lie(cell, decided(cell, own));
  };
  const trial = (version: readonly Rendered[]): Trial => {
    const { must, rules: own } = version[0]!.value as { must?: boolean; rules?: readonly Rule[] };
    const odd = own?.some((rule) => !rule.who?.kind || !rule.id || !rule.route);
    return must !== true || odd ? { rejected: 'that is no rule' } : { ask: ask(version) };
  };
  return {
    name: 'made up',
    objects,
    expected: (cell) => decided(cell, rules),
    ask: ask(objects),
    *trials(versions): Generator<VersionTrial | OriginalTrial> {
      for (const [number, version] of versions.entries()) yield { ...trial(version), version: number };
      yield { ...trial(objects), originalOf: [...versions.keys()] };
    },
  };
}

describe('agreement', () => {
  test('is found if a side decides by the rules', async () => {
    const { requested, disagreements } = await agree(sideWith(), cells);
    expect([requested, disagreements]).toEqual([cells.length, []]);
  });

  test('names a planted disagreement with its request', async () => {
    const planted = cells.find(({ name }) => name === 'wiki.example.com/admin/*#1: role: editor')!;
    const side = sideWith((cell, answer) => (cell === planted ? 'allowed' : answer));
    const { disagreements } = await agree(side, cells);
    expect(lines(disagreements)).toEqual([
      'made up: wiki.example.com/admin/*#1: role: editor (GET wiki.example.com/admin/q): by the policy refused: rules, there allowed',
    ]);
  });

  test('counts a refusal for another reason as a disagreement', async () => {
    const side = sideWith((_, answer) => (answer === 'refused: credential' ? 'refused: rules' : answer));
    expect((await agree(side, cells)).disagreements.length).toBeGreaterThan(20);
  });

  test('does not count cells that a side cannot answer', async () => {
    const side = sideWith((cell, answer) => (cell.part === 'role' ? 'not askable' : answer));
    const { requested } = await agree(side, cells);
    expect(requested).toBe(cells.filter(({ part }) => part !== 'role').length);
  });
});

/** Ids and routes are only names here, and service and identity are not read. */
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

  test('notices changes of a rule, and no others', async () => {
    const found = await search(sideWith(), cells, mutants, (mutant) => named.reason(mutant, objects), { lanes: 2 });
    expect(found.survivors.filter(({ path }) => !path.includes('rules/'))).toEqual([]);
    expect(found.kills.length + found.survivors.length + found.equivalent.length).toBe(mutants.length);
    expect(found.kills.filter(({ by }) => 'rejected' in by).length).toBeGreaterThan(10);
    expect(found.equivalent.map(({ reason }) => reason)).toContain('a comment');
  });

  test('names a planted mutant that survives', async () => {
    const comment = mutants.filter(({ path }) => path === 'comment');
    const found = await search(sideWith(), cells, comment);
    expect(survivorLines(found)).toEqual(['rules/comment: changed', 'rules/comment: dropped']);
  });

  test('misses the mutants of a part without the cells of that part', async () => {
    const methods = mutants.filter(({ path, change }) => /rules\/1\/methods$/.test(path) && change === 'dropped');
    expect(methods).toHaveLength(1);
    expect((await search(sideWith(), cells, methods)).survivors).toEqual([]);
    const less = cells.filter(({ part }) => part !== 'method');
    expect((await search(sideWith(), less, methods)).survivors).toEqual(methods);
  });

  test('uses cells before it treats a mutant as equivalent', async () => {
    const must = mutants.filter(({ path }) => path === 'rules');
    const found = await search(sideWith(), cells, must, () => 'nothing matters');
    expect([found.equivalent, found.kills.length]).toEqual([[], must.length]);
  });

  test('stops if a side answers wrongly for what was rendered', async () => {
    const wrong = sideWith((cell, answer) => (cell.part === 'expiry' ? 'allowed' : answer));
    await expect(search(wrong, cells, mutants)).rejects.toThrow(/made up: what was rendered: .*expired/);
  });
});

/** A side with one slot, for each version and at the end for the original. */
class Slot implements Mutable {
  readonly name = 'slow';
  readonly objects = objects;
  readonly #inner = sideWith();
  readonly #answers: SlotAnswers;
  readonly #checks: boolean;

  /** @param checks whether what was rendered is tried after the versions */
  constructor(answers: SlotAnswers, checks = true) {
    this.#answers = answers;
    this.#checks = checks;
  }

  expected = (cell: Cell) => this.#inner.expected(cell);
  ask = (cell: Cell) => this.#inner.ask(cell);

  *trials(versions: readonly (readonly Rendered[])[]): Generator<VersionTrial | OriginalTrial> {
    const inSlot: (readonly Rendered[])[] = [objects];
    const put = (version: readonly Rendered[]): Trial => {
      inSlot.push(version);
      return this.#answers(inSlot);
    };
    for (const [number, version] of versions.entries()) yield { ...put(version), version: number };
    if (this.#checks) yield { ...put(objects), originalOf: [...versions.keys()] };
  }
}

/** The answers of a slot, given all versions that were put into it, the newest last. */
type SlotAnswers = (inSlot: readonly (readonly Rendered[])[]) => Trial;

const answersOf = (version: readonly Rendered[]) => (cell: Cell) =>
  decided(cell, (version[0]!.value as { rules: readonly Rule[] }).rules);

describe('the original is tried again in the slot of each kill', () => {
  const { mutants } = mutantsOf(objects);
  const [widened] = mutants.filter(({ path, change }) => /rules\/1\/methods$/.test(path) && change === 'dropped');
  const [harmless] = mutants.filter(({ path }) => path === 'comment');
  const inTime: SlotAnswers = (inSlot) => ({ ask: answersOf(inSlot.at(-1)!) });

  test('a kill counts if the original then has the right answers', async () => {
    const found = await search(new Slot(inTime), cells, [widened!, harmless!]);
    expect(found.kills.map(({ mutant }) => mutant)).toEqual([widened]);
    expect(found.survivors).toEqual([harmless]);
  });

  test('a slot that answers by an earlier version fails the hunt', async () => {
    // The mutant comes late: it answers for everything that is put in place after it.
    const late: SlotAnswers = (inSlot) => ({
      ask: answersOf(inSlot.slice(0, -1).includes(widened!.version) ? widened!.version : objects),
    });
    await expect(search(new Slot(late), cells, [widened!, harmless!])).rejects.toThrow(
      /^slow: the original fails too: rules\/comment: changed: .*: refused: rules, got allowed$/,
    );
  });

  test('an answer that does not come again is no kill, and fails the hunt', async () => {
    let lost = 1;
    const once: SlotAnswers = (inSlot) => ({
      ask: (cell) =>
        inSlot.at(-1) === harmless!.version && lost-- > 0 ? 'refused: connection' : answersOf(objects)(cell),
    });
    await expect(search(new Slot(once), cells, [harmless!])).rejects.toThrow(
      /^slow: unstable: rules\/comment: changed: .*: refused: connection, then /,
    );
  });

  test('a slot that gives no answers after a version fails the hunt', async () => {
    const broken: SlotAnswers = (inSlot) =>
      inSlot.length > 2 ? { ask: () => 'refused: connection' } : { ask: answersOf(inSlot.at(-1)!) };
    await expect(search(new Slot(broken), cells, [widened!])).rejects.toThrow(/^slow: the original fails too: /);
  });

  test('a slot that accepts no version, not even what was rendered, fails the hunt', async () => {
    const full: SlotAnswers = (inSlot) =>
      inSlot.length > 1 && inSlot[1] !== objects ? { rejected: 'no room' } : { ask: answersOf(inSlot.at(-1)!) };
    await expect(search(new Slot(full), cells, [harmless!])).rejects.toThrow(
      'slow: the original fails too: rules/comment: changed: no room',
    );
  });

  test('a side that never tries what was rendered again fails the hunt', async () => {
    await expect(search(new Slot(inTime, false), cells, [widened!])).rejects.toThrow(
      'slow: what was rendered was not tried after 1 kills',
    );
  });
});

test('a reason that no mutant needs is reported', () => {
  const list = new Equivalents([
    { at: /^rules\/comment$/, reason: 'a comment' },
    { at: /^rules\/nowhere$/, reason: 'nothing' },
  ]);
  const reasons = mutantsOf(objects).mutants.map((mutant) => list.reason(mutant, objects));
  expect(reasons.filter((it) => it !== undefined)).toEqual(['a comment', 'a comment']);
  expect(list.unused).toEqual(['nothing']);
});
