/** The requests of the matrix: each is what its name says, and `decide` denies or allows it as the name claims. */
import { describe, expect, test } from 'vitest';
import { covers } from '../../../../src/rules/compare/cover.ts';
import { decide } from '../../../../src/rules/decide/decide.ts';
import type { Rule } from '../../../../src/rules/types.ts';
import { cellsOf, unasked } from '../../../mesh/matrix/cells.ts';
import { envoyView } from '../../../mesh/matrix/envoy-view.ts';
import { expectedOf, type View } from '../../../mesh/matrix/expect.ts';
import { envoySubjects, type Subject } from '../../../mesh/matrix/policies.ts';
import type { Cell, Part } from '../../../mesh/matrix/types.ts';

const subjects = await envoySubjects('https://issuers:8443/acme');
const PARTS: readonly Part[] = [
  'role',
  'method',
  'host',
  'path',
  'credential',
  'certificate',
  'audience',
  'expiry',
  'as',
];

/** The fields in which a cell differs from the one that passes. */
function differs(cell: Cell, base: Cell): readonly string[] {
  const { name: _, part: __, rule: ___, credential, ...rest } = cell;
  const own = { ...rest, ...credential } as Record<string, unknown>;
  const { name: ____, part: _____, rule: ______, credential: passing, ...other } = base;
  const its = { ...other, ...passing } as Record<string, unknown>;
  const names = new Set([...Object.keys(own), ...Object.keys(its)]);
  return [...names].filter((key) => JSON.stringify(own[key]) !== JSON.stringify(its[key])).sort();
}

/** The fields in which a part may differ; a missing or invalid credential differs in all its fields. */
const FIELDS: Readonly<Record<Part, readonly string[]>> = {
  role: ['roles'],
  agent: ['agent', 'alone'],
  method: ['method'],
  host: ['host', 'authority', 'service'],
  // If another rule allows a request at another path, the method differs too.
  path: ['path', 'method'],
  credential: ['agent', 'alone', 'as', 'authority', 'flaw', 'host', 'roles', 'service'],
  signature: ['flaw'],
  issuer: ['flaw'],
  audience: ['flaw', 'service'],
  expiry: ['flaw'],
  as: ['as'],
  certificate: ['connects'],
  header: [],
};

const ruleOf = ({ rules }: Subject, cell: Cell): Rule => rules.find(({ id }) => id === cell.rule)!;

describe.each(subjects.map((subject) => [subject.name, subject] as const))('%s', (_, subject) => {
  const { policy, rules } = subject;
  const cells = cellsOf(policy, rules);
  /** The passing request with whose name this one ends. */
  const baseOf = (cell: Cell) => {
    const [whose = ''] = /, for .*$/.exec(cell.name) ?? [];
    return cells.find(({ rule, part, name }) => rule === cell.rule && part === undefined && name.endsWith(whose))!;
  };

  test('every rule has cells, and one of them passes by that rule', () => {
    expect(unasked(rules, cells)).toEqual([]);
    for (const rule of rules) {
      const { credential = null, method, path, part } = cells.find((cell) => cell.rule === rule.id)!;
      expect(part).toBeUndefined();
      const decision = decide(rules, credential, { route: rule.route, method });
      expect([decision.allow, decision.allow && decision.rule.id, covers(rule.path, path)]).toEqual([
        true,
        rule.id,
        true,
      ]);
    }
  });

  test('cells have distinct names', () => {
    const names = cells.map(({ name }) => name);
    expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
  });

  test('a cell that should pass does, by its own rule', () => {
    for (const cell of cells.filter(({ part }) => part === undefined)) {
      const rule = ruleOf(subject, cell);
      const { credential = null, method, path } = cell;
      const decision = decide(rules, credential, { route: rule.route, method });
      expect([cell.name, decision.allow && decision.rule.id]).toEqual([cell.name, rule.id]);
      expect([cell.name, covers(rule.path, path.split('?')[0]!)]).toEqual([cell.name, true]);
    }
  });

  test('a cell that should fail differs in its part, and in nothing else', () => {
    for (const cell of cells) {
      if (cell.part === undefined) continue;
      const base = baseOf(cell);
      // If no caller has to be named, a named caller differs in all its fields.
      const anyCaller = base.credential === undefined ? FIELDS.credential : [];
      // A rule for all methods has cells for other paths with one more method.
      const however = cell.part === 'path' && ruleOf(subject, cell).methods === undefined ? FIELDS.method : [];
      const may = [...FIELDS[cell.part], ...anyCaller, ...however];
      expect([cell.name, differs(cell, base).filter((it) => !may.includes(it))]).toEqual([cell.name, []]);
    }
  });

  test('a cell with a wrong caller, method or path does not pass by its own rule', () => {
    for (const cell of cells) {
      const rule = ruleOf(subject, cell);
      const { credential = null, method, path, part } = cell;
      const people = rules.filter(({ route, who }) => route === rule.route && who.kind !== 'agent');
      const own = rule.who.kind === 'agent' ? [rule, ...people] : [rule];
      const decision = decide(own, credential, { route: rule.route, method });
      const byRule = decision.allow && decision.rule.id === rule.id;
      // The person that an agent acts for is the other rules' matter.
      const any = rule.who.kind === 'agent' && people.some(({ who }) => who.kind !== 'role');
      if ((part === 'role' && !any) || part === 'method') expect([cell.name, byRule]).toEqual([cell.name, false]);
      if (part === 'agent' && rule.who.kind === 'agent') expect([cell.name, byRule]).toEqual([cell.name, false]);
      if (part === 'path' && /^[\w/.-]+$/.test(path) && !/\/\/|\/\.\.?\//.test(path))
        expect([cell.name, covers(rule.path, path)]).toEqual([cell.name, false]);
    }
  });

  test('each rule has a cell for each part that may be wrong', () => {
    for (const rule of rules) {
      const parts = new Set(cells.filter((cell) => cell.rule === rule.id).map(({ part }) => part));
      const requested = PARTS.filter((part) => {
        if (part === 'method') return rule.methods !== undefined;
        if (part === 'role') return rule.who.kind === 'role' || rule.who.kind === 'agent';
        if (part === 'audience' || part === 'expiry' || part === 'as') return rule.who.kind !== 'anyone';
        return true;
      });
      expect([rule.id, requested.filter((part) => !parts.has(part))]).toEqual([rule.id, []]);
      if (rule.who.kind === 'agent') expect(parts.has('agent')).toBe(true);
    }
  });
});

describe('the expected answer of a layer', () => {
  const subject = subjects.find(({ name }) => name === 'agents')!;
  const cells = cellsOf(subject.policy, subject.rules);
  const view: View = envoyView(subject);
  const at = (name: string) => expectedOf(cells.find((cell) => cell.name === name)!, view);

  test.each([
    ['dashboard.example.com/*#3: passes', 'allowed'],
    ['dashboard.example.com/*#3: agent: none', 'refused: rules'],
    ['dashboard.example.com/*#3: agent: indexer', 'refused: rules'],
    ['dashboard.example.com/*#3: role: none', 'refused: rules'],
    ['dashboard.example.com/*#3: as: default', 'refused: rules'],
    ['dashboard.example.com/*#3: method: DELETE', 'refused: rules'],
    ['dashboard.example.com/*#3: expiry: expired', 'refused: credential'],
    ['dashboard.example.com/*#3: certificate: of default', 'refused: rules'],
    ['dashboard.example.com/*#3: certificate: none', 'refused: connection'],
    ['dashboard.example.com/*#1: agent: pages', 'refused: rules'],
    ['wiki.example.com/*#4: passes', 'allowed'],
    ['wiki.example.com/*#4: passes, for itself', 'allowed'],
    ['wiki.example.com/*#4: passes with POST, for itself', 'allowed'],
    ['wiki.example.com/*#4: agent: not alone, for itself', 'refused: rules'],
    ['wiki.example.com/*#4: agent: none, for itself', 'refused: rules'],
    ['dashboard.example.com/open#1: agent: pages', 'refused: rules'],
    ['dashboard.example.com/open#1: passes', 'allowed'],
    // Another rule allows it.
    ['wiki.example.com/*#2: role: editor', 'allowed'],
  ])('%s: %s', (name, answer) => {
    expect(at(name)).toBe(answer);
  });
});
