import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { toCaller } from '../../../src/caller/caller.ts';
import { ANONYMOUS_CALLER, certificateCaller } from '../../../src/caller/reserved.ts';
import { factContext } from '../../../src/caller/roles/roles.ts';
import { factTruth, type Truth } from '../../../src/caller/roles/truth.ts';
import { inView, requestRoles } from '../../../src/caller/roles/views.ts';
import type { Caller, CallerTable } from '../../../src/caller/types.ts';
import type { Fact } from '../../../src/policy/checked/types.ts';
import { isNamed } from '../../../src/policy/facts/certificate.ts';
import type { RequestView } from '../../../src/policy/facts/operator.ts';
import type { Claims } from '../../../src/token/types.ts';
import { holds } from '../../harness/property.ts';
import { NOW, type PlainFact, tableOf, verifiedBy } from './table.ts';

const office: PlainFact = { op: 'network', value: ['10.9.0.0/24'] };
const lab: PlainFact = { op: 'network', value: ['10.8.0.0/24', 'fd00::/8'] };
const deployer: PlainFact = { op: 'certificate', value: 'ci.test' };
const group = (value: string): PlainFact => ({ op: 'group', value });

/** The state of a request: true, false, or unknown. */
const view = (network: Record<string, Truth> = {}, certificate: Record<string, Truth> = {}): RequestView => ({
  within: (ranges) => network[ranges.join(' ')],
  named: (name) => certificate[name],
});
const inOffice = view({ '10.9.0.0/24': true, '10.8.0.0/24 fd00::/8': false });
const atHome = view({ '10.9.0.0/24': false, '10.8.0.0/24 fd00::/8': false });

function callerOf(table: CallerTable, claims: Claims): Caller {
  const caller = toCaller(verifiedBy('okta', claims), table, NOW);
  if (!caller.ok) throw new Error(caller.reason);
  return caller.value;
}

function seen(roles: Record<string, PlainFact>, claims: Claims, request: RequestView, caller?: Caller) {
  const table = tableOf(roles);
  const of = requestRoles(table);
  if (of === undefined) throw new Error('no role rests on the request');
  const { roles: held, stepUp, elsewhere } = inView(caller ?? callerOf(table, claims), of, request);
  return { roles: held, ...(stepUp && { stepUp }), ...(elsewhere && { elsewhere }) };
}

describe('roles by network and certificate', () => {
  const admin: PlainFact = { op: 'all', facts: [group('admins'), office] };
  test('change with the request, in the order of the policy', () => {
    const roles = { admin, staff: group('staff'), site: office };
    const claims = { groups: ['admins', 'staff'] };
    expect(seen(roles, claims, inOffice)).toEqual({ roles: ['admin', 'staff', 'site'] });
    expect(seen(roles, claims, atHome)).toEqual({ roles: ['staff'], elsewhere: ['admin', 'site'] });
    expect(seen(roles, {}, atHome)).toEqual({ roles: [], elsewhere: ['site'] });
    expect(seen(roles, claims, view())).toEqual({ roles: ['staff'], elsewhere: ['admin', 'site'] });
  });

  test('may exclude a network, for which the address must be known', () => {
    const roles = { roaming: { op: 'none', facts: [office] } as PlainFact };
    expect(seen(roles, {}, atHome)).toEqual({ roles: ['roaming'] });
    expect(seen(roles, {}, inOffice)).toEqual({ roles: [], elsewhere: ['roaming'] });
    expect(seen(roles, {}, view())).toEqual({ roles: [], elsewhere: ['roaming'] });
  });

  test('work through other roles, and as alternatives', () => {
    const roles: Record<string, PlainFact> = {
      site: { op: 'any', facts: [office, lab] },
      editor: { op: 'all', facts: [{ op: 'role', value: 'site' }, group('editors')] },
      either: { op: 'any', facts: [group('editors'), office] },
    };
    const editors = { groups: ['editors'] };
    expect(seen(roles, editors, inOffice)).toEqual({ roles: ['site', 'editor', 'either'] });
    expect(seen(roles, editors, atHome)).toEqual({ roles: ['either'], elsewhere: ['site', 'editor'] });
  });

  test('a missing certificate does not send the caller elsewhere', () => {
    const roles: Record<string, PlainFact> = {
      deploy: { op: 'all', facts: [deployer, office] },
      any: deployer,
      not: { op: 'none', facts: [deployer] },
    };
    const at = { '10.9.0.0/24': true };
    expect(seen(roles, {}, view(at, { 'ci.test': true }))).toEqual({ roles: ['deploy', 'any'] });
    expect(seen(roles, {}, view(at))).toEqual({ roles: [] });
    expect(seen(roles, {}, view(at, { 'ci.test': false }))).toEqual({ roles: ['not'] });
  });

  test('a step up is offered only where it would give the role', () => {
    const fresh: PlainFact = { op: 'max_age', value: 600 };
    const roles = {
      vault: { op: 'all', facts: [office, fresh] } as PlainFact,
      phr: { op: 'acr', value: 'phr' } as PlainFact,
    };
    const old = { auth_time: NOW - 3600 };
    expect(seen(roles, old, inOffice)).toEqual({ roles: [], stepUp: ['vault', 'phr'] });
    expect(seen(roles, old, atHome)).toEqual({ roles: [], stepUp: ['phr'] });
    expect(seen(roles, { auth_time: NOW - 60 }, atHome)).toEqual({ roles: [], stepUp: ['phr'], elsewhere: ['vault'] });
    expect(seen(roles, { auth_time: NOW - 60 }, inOffice)).toEqual({ roles: ['vault'], stepUp: ['phr'] });
    const caller = callerOf(tableOf(roles), { auth_time: NOW - 60 });
    expect(caller.until).toBe(NOW + 540);
  });

  test('a role that no sign-in would give is not requested again', () => {
    const odd: PlainFact = {
      op: 'all',
      facts: [office, { op: 'max_age', value: 600 }, { op: 'none', facts: [{ op: 'acr', value: 'x' }] }],
    };
    expect(seen({ odd }, { auth_time: NOW - 60, acr: 'x' }, inOffice)).toEqual({ roles: [] });
  });
});

describe('an anonymous caller', () => {
  const roles: Record<string, PlainFact> = {
    probe: office,
    staff: { op: 'any', facts: [group('staff'), office] },
    guest: { op: 'all', facts: [office, { op: 'none', facts: [{ op: 'provider', value: 'okta' }] }] },
    machine: deployer,
  };
  test('has only the roles that depend on networks alone, and none that depends on a token', () => {
    expect(seen(roles, {}, inOffice, ANONYMOUS_CALLER)).toEqual({ roles: ['probe', 'staff'] });
  });
  test('is sent elsewhere only if no credential would help', () => {
    expect(seen(roles, {}, atHome, ANONYMOUS_CALLER)).toEqual({ roles: [], elsewhere: ['probe'] });
  });
});

describe('the caller of a client certificate', () => {
  const cert = { dns: [] as string[], subject: '', notBefore: 0, notAfter: 0, thumbprint: '' };
  test.each([
    [{ ...cert, spiffe: 'spiffe://example.org/ci', dns: ['ci.test'], subject: 'CN=ci' }, 'spiffe://example.org/ci'],
    [{ ...cert, dns: ['ci.test', 'b.test'], subject: 'CN=ci' }, 'dns:ci.test'],
    [{ ...cert, subject: 'CN=ci,O=Example' }, 'x509:CN=ci,O=Example'],
  ])('%j', (certificate, subject) => {
    expect(certificateCaller(certificate)).toMatchObject({
      ok: true,
      value: { subject, provider: 'certificate', roles: [] },
    });
  });
  test('is refused without a name, or with one that is too long', () => {
    expect(certificateCaller(cert)).toMatchObject({ ok: false, reason: 'proof_invalid' });
    expect(certificateCaller({ ...cert, subject: 'x'.repeat(5000) })).toMatchObject({ reason: 'proof_invalid' });
  });
  test.each(['spiffe://example.org/ci', 'dns:ci.test', 'x509:CN=ci'])('no token has the subject %s', (sub) => {
    const claims = { sub, uid: sub };
    const table = { ...tableOf(), certificates: true as const };
    const of = (caller: CallerTable) => toCaller(verifiedBy('keycloak', claims), caller, NOW);
    expect(of(table)).toMatchObject({ ok: false, reason: 'claim_absent' });
    expect(of(tableOf()).ok).toBe(true);
    expect(toCaller(verifiedBy('okta', claims), table, NOW).ok).toBe(true); // its prefix tells them apart
  });
  test('no token has the subject of the anonymous caller', () => {
    expect(toCaller(verifiedBy('keycloak', { sub: ANONYMOUS_CALLER.subject }), tableOf(), NOW).ok).toBe(false);
  });
  test.each([
    ['ci.test', ['ci.test'], true],
    ['*.ci.test', ['a.ci.test'], true],
    ['*.ci.test', ['ci.test'], false],
    ['*.ci.test', ['a.b.ci.test'], false],
    ['*.ci.test', ['.ci.test', 'aci.test'], false],
    ['ci.test', ['a.ci.test', 'xci.test'], false],
    ['spiffe://example.org/ci', ['spiffe://example.org/ci'], false],
  ])('%s of %j: %s', (name, dns, wanted) => {
    expect(isNamed({ dns }, name)).toBe(wanted);
  });
});

test('a caller in a view has the roles that their token and the request together give', () => {
  const leaf: fc.Arbitrary<PlainFact> = fc.constantFrom(
    office,
    lab,
    deployer,
    group('staff'),
    { op: 'is', claim: 'level', value: 3 },
    { op: 'scope', value: 'read' },
    { op: 'acr', value: 'phr' },
    { op: 'max_age', value: 600 },
    { op: 'acr', value: 'phr', provider: 'keycloak' },
    { op: 'provider', value: 'okta' },
    { op: 'role', value: 'other' },
  );
  const { fact } = fc.letrec<{ fact: PlainFact }>((tie) => ({
    fact: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      leaf,
      fc.record({
        op: fc.constantFrom('any' as const, 'all' as const, 'none' as const),
        facts: fc.array(tie('fact'), { minLength: 1, maxLength: 3 }),
      }),
    ),
  }));
  const claims = fc.record(
    {
      groups: fc.constantFrom([], ['staff'], 7),
      level: fc.constantFrom(3, 4, 'x'),
      scope: fc.constantFrom('read', 'write'),
      acr: fc.constantFrom('phr', 'pwd'),
      auth_time: fc.constantFrom(NOW - 60, NOW - 3600),
    },
    { requiredKeys: [] },
  );
  const truth = fc.constantFrom<Truth>(true, false, undefined);
  holds(
    fc.property(fact, fact, claims, truth, truth, truth, (one, two, given, a, b, c) => {
      const roles = { one, other: two, site: office };
      const request = view({ '10.9.0.0/24': a, '10.8.0.0/24 fd00::/8': b }, { 'ci.test': c });
      const wanted = Object.entries(roles).flatMap(([name, it]) => {
        const context = factContext(verifiedBy('okta', given as Claims), tableOf(roles), NOW, request);
        return factTruth(it as Fact, context) === true ? [name] : [];
      });
      expect(seen(roles, given as Claims, request).roles).toEqual(wanted);
    }),
  );
});
