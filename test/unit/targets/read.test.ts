/** The rendered files of a mesh mean the same as the rules, and differ from those of every rule that means something
 * else. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Policy } from '../../../src/policy/checked/types.ts';
import { pathAtoms } from '../../../src/rules/compare/atoms.ts';
import { covers } from '../../../src/rules/compare/cover.ts';
import { proveIdentities, type Witness } from '../../../src/rules/compare/prove.ts';
import { compile } from '../../../src/rules/compile.ts';
import { hasMethod } from '../../../src/rules/decide/decide.ts';
import type { MeshRule } from '../../../src/rules/types.ts';
import { meshTarget } from '../../../src/targets/index.ts';
import { holds } from '../../harness/property.ts';
import { policy as anyPolicy, METHODS } from '../rules/arbitrary.ts';
import { CHANGES, chance, plant, rewrite } from '../rules/mutate.ts';
import { type Mesh, meshes } from './meshes.ts';

const projected = ({ kind }: Mesh, policy: Policy): readonly MeshRule[] =>
  meshTarget(kind).project?.(policy, compile(policy)) ?? [];

/** A caller with everything that a rule requires, and nothing else; a name or null for its agent, which may be
 * alone. */
type Caller = Pick<MeshRule, 'as' | 'who' | 'asserted' | 'alone'> & { readonly agent: string | null };

/** Whether a rule allows a caller, implemented a second time without the code of proofs. */
function passes(rule: MeshRule, caller: Caller): boolean {
  if (rule.as !== caller.as) return false;
  if (rule.agent !== undefined && rule.agent !== caller.agent) return false;
  if (rule.alone && !caller.alone) return false;
  if (rule.who.kind === 'anyone') return true;
  if (caller.who.kind === 'anyone' || rule.asserted !== caller.asserted) return false;
  if (rule.who.kind !== 'role') return rule.who.kind === 'authenticated';
  return caller.who.kind === 'role' && caller.who.role === rule.who.role;
}

const NOBODYS = 'an agent of no rule';

/** Every caller that a rule names, with every agent. */
function callersOf(rules: readonly MeshRule[]): readonly Caller[] {
  const agents = [...new Set(rules.map(({ agent }) => agent ?? null)), null, NOBODYS];
  const people = new Map(
    rules.map(({ as, who, asserted }) => [JSON.stringify([as, who, asserted]), { as, who, asserted }]),
  );
  return [...people.values()].flatMap((person) =>
    [...new Set(agents)].flatMap((agent): Caller[] => {
      const entire = { ...person, agent } as Caller;
      return agent === null || person.who.kind === 'role' ? [entire] : [entire, { ...entire, alone: true }];
    }),
  );
}

const texts = new WeakMap<MeshRule, string>();

/** The parts of a rule that decide. */
function textOf(rule: MeshRule): string {
  const { host, path, methods, who, as, asserted, agent, alone } = rule;
  const text = texts.get(rule) ?? JSON.stringify({ host, path, methods, who, as, asserted, agent, alone });
  texts.set(rule, text);
  return text;
}

const isSame = (left: readonly MeshRule[], right: readonly MeshRule[]): boolean =>
  left.map(textOf).sort().join() === right.map(textOf).sort().join();

/** Whether some request has another decision: every caller that a rule names, at every path that one names. */
function differ(left: readonly MeshRule[], right: readonly MeshRule[]): boolean {
  return [...new Set([...left, ...right].map(({ host }) => host))].some((host) => {
    const [one, other] = [left, right].map((rules) => rules.filter((rule) => rule.host === host)) as [
      MeshRule[],
      MeshRule[],
    ];
    if (isSame(one, other)) return false;
    const callers = callersOf([...one, ...other]);
    return pathAtoms([...one, ...other].map((rule) => rule.path)).some(({ path }) => {
      const at = (rules: readonly MeshRule[]) => rules.filter((rule) => covers(rule.path, path));
      const [here, there] = [at(one), at(other)];
      if (isSame(here, there)) return false;
      return [...METHODS, 'PATCH'].some((method) => {
        const of = (rules: readonly MeshRule[]) => rules.filter((rule) => hasMethod(rule, method));
        const [these, those] = [of(here), of(there)];
        return callers.some((it) => these.some((rule) => passes(rule, it)) !== those.some((rule) => passes(rule, it)));
      });
    });
  });
}

/** The request of a witness, decided on both sides. */
function answers(
  { host, path, method, caller, ...rules }: Witness<string>,
  ...sides: readonly (readonly MeshRule[])[]
) {
  const own = (rules.left ?? rules.right) as MeshRule;
  const by = caller.endsWith(', by an agent that no rule names') ? NOBODYS : (own.agent ?? null);
  return sides.map((side) =>
    side.some(
      (rule) =>
        rule.host === host && covers(rule.path, path) && hasMethod(rule, method) && passes(rule, { ...own, agent: by }),
    ),
  );
}

describe.each(meshes)('$name', (mesh) => {
  const { count } = mesh;
  const own = fc.tuple(anyPolicy, fc.nat(1)).map(([it, index]) => mesh.own(it, index));

  test('read back, what is rendered says what the rules do', () => {
    holds(
      fc.property(own, (policy) => {
        const [expected, read] = [projected(mesh, policy), mesh.roundTrip(policy)];
        if (mesh.isLiteral) expect(plain(read)).toEqual(plain(expected));
        else expect(proveIdentities(expected, read)).toBeUndefined();
      }),
      count,
    );
  });

  test('through YAML as well', () => {
    const target = meshTarget(mesh.kind);
    holds(
      fc.property(own, (policy) => {
        const { files } = target.emit(policy, compile(policy), {});
        expect(target.read?.(files)).toEqual(mesh.roundTrip(policy));
      }),
      20,
    );
  });

  test('planted differences are found in what is rendered, and none is invented', () => {
    const found = new Map<string, number>();
    holds(
      fc.property(own, fc.constantFrom(...CHANGES), fc.nat(), (one, kind, seed) => {
        const other = plant(one, kind, chance(seed)).policy;
        if (other.hosts.length === 0) return;
        const [left, right] = [projected(mesh, one), mesh.roundTrip(other)];
        const witness = proveIdentities(left, right);
        const expected = projected(mesh, other);
        const isDifferent = differ(left, expected);
        if (isDifferent) found.set(kind, (found.get(kind) ?? 0) + 1);
        expect(witness !== undefined).toBe(isDifferent);
        if (witness !== undefined) {
          const sides = [witness.left !== undefined, witness.right !== undefined];
          expect(answers(witness, left, expected)).toEqual(sides);
        }
      }),
      2 * count,
    );
    expect([...found.values()].reduce((sum, one) => sum + one, 0)).toBeGreaterThanOrEqual(count);
    // A mesh unites its rules: their order has no meaning, and an added rule is often covered by the others.
    const seldom = ['two rules in another order', 'a rule more'];
    const meaningful = CHANGES.filter((kind) => !seldom.includes(kind));
    expect([...found.keys()]).toEqual(expect.arrayContaining(meaningful));
    expect(found.has('two rules in another order')).toBe(false);
  });

  test('policies in other words are the same', () => {
    holds(
      fc.property(own, (policy) => {
        expect(proveIdentities(projected(mesh, policy), mesh.roundTrip(rewrite(policy)))).toBeUndefined();
      }),
      count,
    );
  });
});

const plain = (value: unknown) => JSON.parse(JSON.stringify(value)) as unknown;
