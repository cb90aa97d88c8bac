/** The rules for a mesh are the same with and without routes that pass credentials of their services on. */
import { describe, expect, test } from 'vitest';
import { Offline } from '../../../src/cli/decide/offline.ts';
import type { Policy, ServiceCredential } from '../../../src/policy/checked/types.ts';
import { compile } from '../../../src/rules/compile.ts';
import { decide } from '../../../src/rules/decide/decide.ts';
import { meshTarget } from '../../../src/targets/index.ts';
import { JWKS } from './members-policy.ts';
import { meshes, policies } from './meshes.ts';

const FORMS: readonly Omit<ServiceCredential, 'services'>[] = [
  { schemes: ['basic'] },
  { schemes: ['oauth', 'token'], bearer: 'opaque' },
  { schemes: [], bearer: ['glsa_'] },
];

/** The same policy, whose routes pass credentials on. */
const passing = (policy: Policy): Policy => ({
  ...policy,
  gateway: { ...policy.gateway, credentialHeader: 'X-Gateway-Authorization' },
  hosts: policy.hosts.map((host) => ({
    ...host,
    routes: host.routes.map((route, i) => ({
      ...route,
      serviceCredential: { ...FORMS[i % FORMS.length]!, services: [route.service] },
    })),
  })),
});

const HEADERS = ['Basic YWRhOnNlY3JldA==', 'OAuth oauth_token="a"', 'Token a', 'Bearer abcdef', 'Bearer glsa_x'];

describe.each(meshes)('$name', ({ kind, own, roundTrip, count }) => {
  const all = policies(Math.min(count, 60)).map(own);

  test('renders the same rules', () => {
    for (const policy of all) expect(roundTrip(passing(policy))).toEqual(roundTrip(policy));
  });

  test('renders the same files and gaps', () => {
    for (const policy of all) {
      const of = (it: Policy) => meshTarget(kind).emit(it, compile(it), { assertionJwks: JWKS });
      expect(of(passing(policy))).toEqual(of(policy));
    }
  });

  test('a request with such a credential passes only where an anonymous caller passes', () => {
    let passed = 0;
    for (const policy of all.map(passing)) {
      const offline = new Offline(policy, 1_800_000_000);
      const rules = compile(policy);
      for (const host of policy.hosts) {
        for (const route of host.routes) {
          for (const authorization of HEADERS) {
            const caller = offline.callerAt({ host, route }, { authorization });
            if (!caller.ok) continue;
            expect(caller.value.caller).toMatchObject({ nobody: true, roles: [] });
            for (const method of ['GET', 'POST']) {
              const decision = decide(rules, caller.value.caller, { route: route.name, method });
              if (decision.allow) expect(decision.rule.who).toEqual({ kind: 'anyone' });
              passed += decision.allow ? 1 : 0;
            }
          }
        }
      }
    }
    expect(passed).toBeGreaterThan(50);
  });
});
