import { describe, expect, test } from 'vitest';
import type { MeshKind } from '../../../src/policy/checked/types.ts';
import { formatError, parsePolicy } from '../../../src/policy/index.ts';
import { compile } from '../../../src/rules/compile.ts';
import { meshTarget } from '../../../src/targets/index.ts';
import { JWKS, policyText } from './members-policy.ts';

const ROLES = 'staff: { group: staff }, probe: { network: [192.0.2.0/24] }';

function gapsOf(kind: MeshKind, hosts: string, roles = ROLES): readonly string[] {
  const { policy, errors } = parsePolicy(policyText(kind, roles, hosts), 'meshgate.yaml');
  if (policy === undefined) throw new Error(errors.map((it) => formatError(it)).join('\n'));
  const { gaps } = meshTarget(kind).emit(policy, compile(policy), { assertionJwks: JWKS });
  return gaps.map(({ part, text }) => `${part}: ${text}`);
}

/** The coverage that a mesh reports for each rule, by the rule's id. */
function coversOf(kind: MeshKind, hosts: string, roles = ROLES): Readonly<Record<string, string>> {
  const { policy } = parsePolicy(policyText(kind, roles, hosts), 'meshgate.yaml');
  if (policy === undefined) throw new Error('a mistake');
  return Object.fromEntries(
    compile(policy).map((rule) => {
      const held = meshTarget(kind).covers(rule, policy);
      return [rule.id, held.kind === 'exact' ? 'exact' : `${held.kind}: ${held.text}`];
    }),
  );
}

const open = `
  w.test:
    /x: { service: wiki, allow: [authenticated] }
    /ping: { service: wiki, allow: [probe] }
    /*: { service: wiki, allow: [staff] }`;

describe('anonymous callers with a role by network have an assertion, which passes as an authenticated caller’s', () => {
  test.each<MeshKind>(['istio', 'envoy', 'consul'])('%s prints the gap', (kind) => {
    expect(gapsOf(kind, open)).toContainEqual(
      expect.stringMatching(/^w\.test\/x#1: anonymous callers .* the role probe \(w\.test\/ping#1\), and \w+/),
    );
  });

  test.each<MeshKind>(['istio', 'envoy', 'consul'])('%s does not claim to enforce such a rule exactly', (kind) => {
    const held = coversOf(kind, open);
    expect(held['w.test/x#1']).toMatch(/^wider: .*anonymous callers have an assertion too/);
    expect(held['w.test/ping#1']).toBe('exact');
    expect(held['w.test/*#1']).toBe('exact');
  });

  test('no rule for such a role, or for authenticated callers: no gap', () => {
    const text = (lines: readonly string[]) => lines.filter((it) => it.includes('anonymous callers have an assertion'));
    expect(text(gapsOf('istio', open.replace('[authenticated]', '[staff]')))).toEqual([]);
    expect(text(gapsOf('istio', open.replace('[probe]', '[staff]'), 'staff: { group: staff }'))).toEqual([]);
    expect(text(gapsOf('istio', open))).toHaveLength(1);
  });
});

describe('two hosts of one service are one for a mesh', () => {
  const two = (second: string) => `
  v.test: { /*: { service: wiki, allow: [${second}] } }
  w.test: { /*: { service: wiki, allow: [staff] }, /ping: { service: wiki, allow: [probe] } }`;

  test.each<MeshKind>(['istio', 'envoy', 'linkerd'])('%s prints the gap', (kind) => {
    expect(gapsOf(kind, two('{ role: staff, methods: [GET] }'))).toContainEqual(
      expect.stringMatching(
        /^services\.wiki: v\.test and w\.test lead to this service by different rules, and \w+ sees/,
      ),
    );
  });

  test.each<MeshKind>(['istio', 'envoy', 'consul', 'linkerd'])(
    '%s enforces exactly only the rules that both hosts have',
    (kind) => {
      const hosts = `
  v.test: { /*: { service: wiki, allow: [staff] }, /status: { service: wiki, allow: [anyone] } }
  w.test: { /*: { service: wiki, allow: [{ role: staff, methods: [GET] }] }, /status: { service: wiki, allow: [anyone] } }`;
      const held = coversOf(kind, hosts, 'staff: { group: staff }');
      for (const id of ['v.test/*#1', 'w.test/*#1']) {
        expect(held[id]).toMatch(/^wider: .*v\.test and w\.test lead to this service by different rules/);
      }
      for (const id of ['v.test/status#1', 'w.test/status#1']) expect(held[id]).toBe('exact');
    },
  );

  test('if their rules are the same: no gap', () => {
    const same = `
  v.test: { /*: { service: wiki, allow: [staff] } }
  w.test: { /*: { service: wiki, allow: [staff] } }`;
    expect(gapsOf('istio', same, 'staff: { group: staff }').filter((it) => it.includes('by different rules'))).toEqual(
      [],
    );
  });
});
