/** Rules with tools in Envoy and Istio: the allowed messages, the rules that are read back, and the printed gaps. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Policy } from '../../../src/policy/checked/types.ts';
import { proveIdentities } from '../../../src/rules/compare/prove.ts';
import { compile } from '../../../src/rules/compile.ts';
import { CALL, LISTING, type McpHeaders, refusedTool } from '../../../src/rules/tools.ts';
import { toolPermission } from '../../../src/targets/envoy/tools.ts';
import { meshTarget } from '../../../src/targets/index.ts';
import { toolConditions, widerTools } from '../../../src/targets/istio/tools.ts';
import { documents, documentsIn } from '../../../src/targets/kit/yaml.ts';
import { draw, holds } from '../../harness/property.ts';
import { permits } from '../../mesh/matrix/envoy-same.ts';
import { says } from '../../mesh/matrix/istio-same.ts';
import { mutantsOf } from '../../mesh/matrix/mutants.ts';
import { goldenPolicy } from './istio/golden.ts';
import { meshes, policies } from './meshes.ts';

const TASKS = ['tasks/get', 'tasks/update', 'tasks/cancel'];

const word = fc.string({ unit: fc.constantFrom(...'ab_./-,=? é\t'.split('')), maxLength: 6 });
const pattern = fc
  .tuple(fc.stringMatching(/^[ab_./-]{0,3}$/), fc.boolean())
  .filter(([stem, glob]) => glob || stem !== '')
  .map(([stem, glob]) => stem + (glob ? '*' : ''));
const tools = fc.array(pattern, { minLength: 1, maxLength: 3 });
const message = fc.record({
  version: fc.constantFrom('2026-07-28', '2026-07-28', '2025-11-25', undefined),
  method: fc.oneof(
    fc.constantFrom(CALL, CALL, CALL, ...LISTING, ...TASKS, 'resources/read', 'initialize', 'ping', undefined),
    fc.constantFrom('notifications/cancelled', 'notifications/x', 'notifications/x, tools/call'),
    word,
  ),
  name: fc.oneof(word, fc.constantFrom('', '=?base64?=', '=?base64?YQ==?=', '=?base64?Y?=', undefined)),
});

function headersOf({ version, method, name }: McpHeaders): Readonly<Record<string, string>> {
  const all = { 'mcp-protocol-version': version, 'mcp-method': method, 'mcp-name': name };
  return JSON.parse(JSON.stringify(all)) as Readonly<Record<string, string>>;
}

describe('a message', () => {
  test('passes Envoy where the rule covers it, and nowhere else', () => {
    holds(
      fc.property(tools, message, (own, requested) => {
        const request = { authority: '', asserted: true, method: 'POST', path: '/mcp', headers: headersOf(requested) };
        expect(permits(toolPermission(own), request)).toBe(refusedTool(own, requested) === undefined);
      }),
      2000,
    );
  });

  test('passes Istio where the rule covers it, except for the printed gaps', () => {
    holds(
      fc.property(tools, message, (own, requested) => {
        const passes = toolConditions(own).some((when) => says({ when }, undefined, headersOf(requested)));
        const covered = refusedTool(own, requested) === undefined;
        if (passes && !covered) {
          if (TASKS.includes(requested.method ?? '')) {
            expect(widerTools(own)).toContain('tasks/get, tasks/update, tasks/cancel, Istio does not check Mcp-Name');
            return;
          }
          expect(requested.method).toBe(CALL);
          const stems = own.flatMap((it) => (it.endsWith('*') ? [it.slice(0, -1)] : []));
          expect(stems.some((stem) => requested.name?.startsWith(stem))).toBe(true);
        }
        if (covered && !passes) expect(requested.method).toBe('notifications/x');
      }),
      2000,
    );
  });
});

/** The same policy, with tools in its agents' rules. */
function withTools(policy: Policy, own: readonly (readonly string[])[]): Policy {
  let count = 0;
  const hosts = policy.hosts.map((host) => ({
    ...host,
    routes: host.routes.map((route) => ({
      ...route,
      allow: route.allow.map((allow) =>
        allow.who.kind === 'agent' && ++count % 4 !== 0
          ? { ...allow, methods: ['POST'], who: { ...allow.who, tools: own[count % own.length] as readonly string[] } }
          : allow,
      ),
    })),
  }));
  return { ...policy, hosts };
}

const TOOLS = draw(tools, 50);
const looking = meshes.filter(({ kind }) => kind === 'envoy' || kind === 'istio');

test.each(looking)('$name: read back, tools are the same, for 100 policies', ({ kind, own, roundTrip }) => {
  const some = policies(100).map((it, i) => withTools(own(it, i), TOOLS.slice(i % 40)));
  let named = 0;
  for (const policy of some) {
    const expected = meshTarget(kind).project?.(policy, compile(policy)) ?? [];
    named += expected.filter((rule) => rule.tools !== undefined).length;
    expect(JSON.parse(JSON.stringify(roundTrip(policy)))).toEqual(JSON.parse(JSON.stringify(expected)));
  }
  expect(named).toBeGreaterThan(100);
});

describe.each(['envoy', 'istio'] as const)('%s', (kind) => {
  const policy = kind === 'istio' ? goldenPolicy('tools') : { ...envoyPolicy() };
  const target = meshTarget(kind);
  const rules = compile(policy);
  const { files, gaps } = target.emit(policy, rules, {});
  const expected = target.project!(policy, rules);

  test('no field about tools changes unnoticed', () => {
    let found = 0;
    for (const [name, text] of Object.entries(files)) {
      const objects = documentsIn(name, text).map((value, i) => ({ name: `${name} ${i}`, value }));
      for (const mutant of mutantsOf(objects).mutants) {
        if (!isOfTools(mutant.path, objects.find((it) => it.name === mutant.object)?.value)) continue;
        found += 1;
        const changed = { ...files, [name]: documents(mutant.version.map(({ value }) => value)) };
        const isNoticed = () => {
          try {
            return proveIdentities(expected, target.read!(changed)) !== undefined;
          } catch {
            return true;
          }
        };
        expect([mutant.path, mutant.change, isNoticed()]).toEqual([mutant.path, mutant.change, true]);
      }
    }
    expect(found).toBeGreaterThan(100);
  });

  test.each([
    [['search_*', 'wiki.read'], ['search_*'], 'tools/call wiki.read'],
    [['search_*'], ['search_*', 'wiki.read'], 'tools/call wiki.read'],
    [['search_*'], ['*'], 'tools/call 0'],
  ])('%j against %j: distinguished by %s', (one, other, words) => {
    const of = (own: readonly string[]) => {
      const changed = withTools(policy, [own]);
      return target.project!(changed, compile(changed));
    };
    expect(proveIdentities(of(one), of(other))?.caller).toContain(words);
  });

  test('reports how well it enforces them', () => {
    const held = rules.filter(({ who }) => who.kind === 'agent').map((rule) => target.covers(rule, policy).kind);
    expect(held).toEqual(['wider', 'wider', 'wider']);
    const printed = gaps.filter(({ text }) => /repeats a header|notifications/.test(text));
    expect(printed.length).toBe(kind === 'envoy' ? 3 : 4);
  });
});

/** Whether a path leads below the tools' part of a rule: Envoy's fourth permission, or Istio's conditions. */
function isOfTools(path: string, value: unknown): boolean {
  if (/\/permissions\/0\/and_rules\/rules\/3(\/|$)/.test(path)) return true;
  const [condition] = /^spec\/rules\/\d+\/when\/\d+/.exec(path) ?? [];
  const node = condition?.split('/').reduce((it: unknown, key) => (it as Record<string, unknown>)?.[key], value);
  return JSON.stringify(node)?.includes('request.headers') === true;
}

function envoyPolicy(): Policy {
  const policy = goldenPolicy('tools');
  const own = { certFile: '/c', keyFile: '/k', clientCaFile: '/ca', listen: 8443, assertionJwksFile: '/j' };
  return { ...policy, mesh: { ...policy.mesh!, ingress: { ...policy.mesh!.ingress, own } } };
}
