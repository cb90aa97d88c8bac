import { describe, expect, test } from 'vitest';
import { MAX_HOPS } from '../../../src/base/limits.ts';
import { toCaller, toPerson } from '../../../src/caller/caller.ts';
import { certificateCaller } from '../../../src/caller/reserved.ts';
import type { CallerTable, TokenAgent } from '../../../src/caller/types.ts';
import { decide } from '../../../src/rules/decide/decide.ts';
import { checkIntrospected, confirmedToken } from '../../../src/token/introspection.ts';
import type { Claims, TokenProvider } from '../../../src/token/types.ts';
import { NOW, tableOf, verifiedBy } from './table.ts';

const base = tableOf({ staff: { op: 'group', value: 'staff' }, admin: { op: 'group', value: 'admins' } }, ['level']);

const SPIFFE = 'spiffe://example.org/ns/bots/sa/release';

const bot: TokenAgent = {
  name: 'bot',
  match: { kind: 'client', client: 'release-bot' },
  actsFor: ['staff'],
  hops: 1,
  bound: 'none',
};
const far: TokenAgent = { ...bot, name: 'far', match: { kind: 'client', client: 'far-bot' }, hops: 3 };
const workload: TokenAgent = { ...bot, name: 'workload', match: { kind: 'spiffe', spiffe: SPIFFE } };
const robots: TokenAgent = {
  ...bot,
  name: 'robots',
  match: { kind: 'claim', fact: { op: 'is', claim: 'team', value: 'robots', at: { file: '', line: 1, column: 1 } } },
};

const tableWith = (...agents: TokenAgent[]): CallerTable => ({
  ...base,
  sends: { email: true, name: true, groups: true },
  providers: {
    ...base.providers,
    entra: {
      ...base.providers.okta!,
      ...{ name: 'entra', kind: 'entra', issuer: 'https://entra.test/t1' },
      subject: { claim: 'sub', prefix: '' },
    },
  },
  ...(agents.length > 0 && { agents }),
});

const ANN = { uid: 'ann', sub: 'ann-sub', groups: ['staff', 'admins'], level: 3, name: 'Ann' };

function by(claims: Claims, agents: readonly TokenAgent[] = [bot, far, workload, robots], provider = 'okta') {
  return toCaller({ ...verifiedBy('okta', { ...ANN, ...claims }), provider }, tableWith(...agents), NOW);
}

function callerOf(...given: Parameters<typeof by>) {
  const caller = by(...given);
  if (!caller.ok) throw new Error(`${caller.reason}: ${caller.detail}`);
  return caller.value;
}

/** Reason and detail of a refusal. */
function refusal(...given: Parameters<typeof by>): string {
  const caller = by(...given);
  return caller.ok ? `taken: ${JSON.stringify(caller.value)}` : `${caller.reason}: ${caller.detail}`;
}

describe('the actor', () => {
  test.each<[string, Claims, string, readonly string[]]>([
    ['the client', { cid: 'release-bot' }, 'bot', ['release-bot']],
    [
      'the actor, whatever client fetched the token',
      { cid: 'portal', act: { sub: 'release-bot' } },
      'bot',
      ['release-bot'],
    ],
    ['an actor by its SPIFFE id', { cid: 'portal', act: { sub: SPIFFE } }, 'workload', [SPIFFE]],
    [
      'a SPIFFE id is the same wherever it comes from',
      { act: { sub: SPIFFE, iss: 'https://spire.test' } },
      'workload',
      [SPIFFE],
    ],
    [
      'an actor of the issuer itself',
      { act: { sub: 'release-bot', iss: base.providers.okta!.issuer } },
      'bot',
      ['release-bot'],
    ],
    ['the client by one of two names', { azp: 'spa', client_id: 'release-bot' }, 'bot', ['release-bot']],
    ['or by the other', { azp: 'release-bot', client_id: 'spa' }, 'bot', ['release-bot']],
    ['or by the last of all', { azp: 'spa', cid: 'portal', appid: 'release-bot' }, 'bot', ['release-bot']],
    ['a claim', { cid: 'portal', team: 'robots' }, 'robots', ['portal']],
    [
      'the outermost of a chain',
      { act: { sub: 'far-bot', act: { sub: 'release-bot', act: { sub: SPIFFE } } } },
      'far',
      ['far-bot', 'release-bot', SPIFFE],
    ],
    [
      'a token that names the actor itself',
      { cid: 'release-bot', may_act: { sub: 'release-bot' } },
      'bot',
      ['release-bot'],
    ],
    ['by the name of a client', { cid: 'release-bot', may_act: { client_id: 'release-bot' } }, 'bot', ['release-bot']],
  ])('%s', (_, claims, agent, actors) => {
    expect(callerOf(claims)).toEqual({
      provider: 'okta',
      subject: 'okta-ann',
      name: 'Ann',
      roles: ['staff'],
      groups: [],
      claims: {},
      agent,
      actors,
    });
  });

  test('is absent if no agent is the client', () => {
    const person = callerOf({ cid: 'portal' });
    expect(person).toMatchObject({ roles: ['staff', 'admin'], groups: ['staff', 'admins'], claims: { level: 3 } });
    expect(Object.keys(person)).not.toContain('agent');
    expect(callerOf({ cid: 'portal' }, [])).toEqual(person);
  });

  test('is the first matching agent of the policy', () => {
    expect(callerOf({ cid: 'release-bot', team: 'robots' }).agent).toBe('bot');
    expect(callerOf({ cid: 'release-bot', team: 'robots' }, [robots, bot]).agent).toBe('robots');
  });

  test('is the actor of the token, and not the wider agent that a claim of the subject names', () => {
    const wide = { ...robots, actsFor: ['staff', 'admin'] };
    const claims = { team: 'robots', act: { sub: 'release-bot' } };
    expect(callerOf(claims, [wide, bot])).toMatchObject({ agent: 'bot', roles: ['staff'] });
    expect(callerOf(claims, [bot, wide])).toMatchObject({ agent: 'bot', roles: ['staff'] });
  });

  describe('an agent by a claim', () => {
    const by = (fact: object): TokenAgent => ({
      ...robots,
      match: { kind: 'claim', fact: { ...at, ...fact } as never },
    });
    const at = { at: { file: '', line: 1, column: 1 } };
    const mailers = by({ op: 'like', claim: 'email', value: '*@bots.test' });
    const email = 'b1@bots.test';

    test.each<[string, string, Claims]>([
      ['verified', 'okta', { email_verified: true }],
      ['not verified', 'okta', { email_verified: false }],
      ['without a word of it', 'okta', {}],
      ['of Entra ID, which says nothing of it', 'entra', { azp: 'portal' }],
      ['with two @', 'okta', { email: 'b1@x@bots.test', email_verified: true }],
    ])('is recognised by its address: %s', (_, provider, claims) => {
      const caller = callerOf({ email, ...claims }, [mailers], provider);
      expect(caller).toMatchObject({ agent: 'robots', roles: ['staff'], claims: {}, groups: [] });
    });

    const [is, has] = [
      by({ op: 'is', claim: 'team', value: 'robots' }),
      by({ op: 'has', claim: 'team', value: 'robots' }),
    ];
    const [like, flag] = [
      by({ op: 'like', claim: 'team', value: 'robots*' }),
      by({ op: 'is', claim: 'team', value: true }),
    ];
    test.each<[string, TokenAgent, unknown]>([
      ...[{ name: 'robots' }, [{ name: 'robots' }], ['people', 7], 7, true, null].flatMap(
        (team): [string, TokenAgent, unknown][] => [
          [`is ${JSON.stringify(team)}`, is, team],
          [`has ${JSON.stringify(team)}`, has, team],
          [`like ${JSON.stringify(team)}`, like, team],
        ],
      ),
      ['a text in the place of true or false', flag, 'true'],
    ])('is rejected if the claim has another form: %s', (_, agent, team) => {
      expect(refusal({ team }, [agent])).toBe('claim_absent: "team", which identifies agent robots, has another form');
    });

    test.each<[string, TokenAgent, Claims]>([
      ['is absent', is, {}],
      ['has another value', is, { team: 'people' }],
      ['is a list without it', is, { team: ['people'] }],
      ['is an empty list', has, { team: [] }],
      ['is text without the word', has, { team: 'people robotsx' }],
      ['is not like it', like, { team: 'people' }],
      ['is false', flag, { team: false }],
    ])('is absent if the claim %s', (_, agent, claims) => {
      expect(callerOf(claims, [agent])).not.toHaveProperty('agent');
    });

    test('is ignored, valid or not, if the token names an actor', () => {
      expect(callerOf({ team: { name: 'robots' }, act: { sub: 'release-bot' } }, [is, bot]).agent).toBe('bot');
    });
  });

  describe('an agent of one provider', () => {
    // The table's providers okta and keycloak have one issuer, as of one server with an audience for each.
    const fact = { op: 'is', claim: 'team', value: 'robots', at: { file: '', line: 1, column: 1 } } as const;
    const of = (provider: string) => ({
      client: { ...bot, match: { kind: 'client', client: 'release-bot', provider } } as TokenAgent,
      claim: { ...robots, match: { kind: 'claim', fact: { ...fact, provider } } } as TokenAgent,
      spiffe: { ...workload, match: { kind: 'spiffe', spiffe: SPIFFE, provider } } as TokenAgent,
    });

    test.each<['client' | 'claim' | 'spiffe', Claims]>([
      ['client', { cid: 'release-bot' }],
      ['client', { cid: 'portal', act: { sub: 'release-bot' } }],
      ['claim', { team: 'robots' }],
      ['spiffe', { act: { sub: SPIFFE } }],
    ])('is that agent at each provider of the same issuer: by %s %j', (by, claims) => {
      const agent = of('keycloak')[by];
      expect(callerOf(claims, [agent])).toMatchObject({ agent: agent.name, roles: ['staff'] });
    });

    test('does not match tokens of another issuer', () => {
      for (const [by, claims] of [
        ['client', { cid: 'release-bot' }],
        ['claim', { team: 'robots' }],
      ] as const) {
        expect(callerOf(claims, [of('entra')[by]])).not.toHaveProperty('agent');
      }
    });

    test('matches before one of another provider', () => {
      const [here, there] = [
        { ...of('okta').client, name: 'here' },
        { ...of('keycloak').client, name: 'there' },
      ];
      expect(callerOf({ cid: 'release-bot' }, [there, here]).agent).toBe('here');
      expect(callerOf({ cid: 'release-bot', act: { sub: 'release-bot' } }, [there, here]).agent).toBe('here');
    });

    test.each([
      ['a tenant of several', ['https://login.test/t1', 'https://login.test/t2'], ['https://login.test/t2'], true],
      ['no tenant of those', ['https://login.test/t1', 'https://login.test/t2'], ['https://login.test/t3'], false],
    ])('is recognised at a provider that has %s', (_, issuers, others, known) => {
      const table = tableWith(of('keycloak').client);
      const { okta, keycloak } = table.providers;
      const providers = { okta: { ...okta!, issuers: others }, keycloak: { ...keycloak!, issuers } };
      const token = verifiedBy('okta', { ...ANN, cid: 'release-bot' });
      const caller = toCaller(token, { ...table, providers }, NOW);
      expect(caller.ok && caller.value.agent).toBe(known ? 'bot' : undefined);
    });

    test('is the workload of its SPIFFE id, with any JWT-SVID', () => {
      const { okta } = base.providers;
      const spire = { ...okta!, kind: 'spiffe', subject: { claim: 'sub', prefix: '' }, trustDomain: 'example.org' };
      const providers = {
        ours: { ...spire, name: 'ours', issuer: 'https://ours.test' },
        theirs: { ...spire, name: 'theirs', issuer: 'https://theirs.test' },
      };
      const table = { ...tableWith(of('ours').spiffe), providers };
      const token = { ...verifiedBy('okta', { sub: SPIFFE }), provider: 'theirs' };
      expect(toCaller(token, table, NOW)).toMatchObject({ value: { agent: 'workload', alone: true } });
    });
  });

  // A session is not bound to a key of an agent, and has all roles of its account. So the account of an agent has no
  // session, although a cookie rarely shows that it is one: the sign-in and each refresh, which see all claims, check
  // it as well.
  test.each<[string, Claims, string]>([
    ['by its client', { cid: 'release-bot' }, 'actor_not_allowed'],
    ['by a claim', { team: 'robots' }, 'actor_not_allowed'],
    ['by a claim that cannot be read', { team: { name: 'robots' } }, 'claim_absent'],
    ['by an actor', { act: { sub: 'release-bot' } }, 'actor_not_allowed'],
    ['by an actor of no agent', { act: { sub: 'other' } }, 'actor_not_allowed'],
    ['by an invalid actor', { act: null }, 'actor_not_allowed'],
  ])('cannot have a session: %s', (_, claims, reason) => {
    const person = toPerson(verifiedBy('okta', { ...ANN, ...claims }), tableWith(bot, robots), NOW);
    expect(person).toMatchObject({ ok: false, reason });
  });

  test('people and other clients have a session', () => {
    const person = toPerson(verifiedBy('okta', { ...ANN, azp: 'portal', team: 'people' }), tableWith(bot, robots), NOW);
    expect(person).toMatchObject({ ok: true, value: { roles: ['staff', 'admin'] } });
  });
});

describe('the answer of an introspection endpoint', () => {
  const times = { cache: 60, negative: 10, stale: 0 };
  const okta = base.providers.okta!;
  const requested = (kind: string): TokenProvider => ({ ...okta, kind, anyAudience: true, introspection: times });
  const answer = { active: true, token_type: 'Bearer', exp: NOW + 600 };
  const bound = { ...bot, bound: 'dpop' } as const;

  /** The gateway's result for an opaque token's answer. */
  function verdictOf(kind: string, claims: Claims, agents: readonly TokenAgent[] = [bound]) {
    const verified = checkIntrospected({ ...answer, ...claims }, requested(kind), {
      now: NOW,
      skew: 30,
      until: NOW + 60,
    });
    if (!verified.ok) return verified;
    const table = { ...tableWith(...agents), providers: { okta: requested(kind) } };
    return toCaller(verified.value, table, NOW);
  }

  // RFC 7662 section 2.2 names the client "client_id", whatever the provider's JWTs name it.
  test.each(
    ['okta', 'entra', 'keycloak', 'auth0', 'google', 'cognito', 'generic'].flatMap((kind) =>
      ['azp', 'client_id', 'cid', 'appid'].map((name) => [kind, name] as const),
    ),
  )('of a provider of kind %s that names the client by %s is for an agent, and not for a person', (kind, name) => {
    expect(verdictOf(kind, { ...ANN, [name]: 'release-bot' })).toMatchObject({
      ok: false,
      reason: 'proof_missing',
      about: { agent: 'bot' },
    });
  });

  test('of an Okta client that acts alone is an agent alone, without a role', () => {
    const itself = { groups: ['staff'], sub: 'release-bot', uid: undefined, client_id: 'release-bot' };
    const verified = checkIntrospected(
      { ...answer, ...itself },
      { ...requested('okta'), subject: { claim: 'sub', prefix: '' } },
      { now: NOW, skew: 30, until: NOW + 60 },
    );
    if (!verified.ok) throw new Error(verified.detail);
    const table = {
      ...tableWith({ ...bot, alone: true }),
      providers: { okta: { ...requested('okta'), subject: { claim: 'sub', prefix: '' } } },
    };
    expect(toCaller(verified.value, table, NOW)).toMatchObject({ value: { agent: 'bot', alone: true, roles: [] } });
  });

  // A JWT without an actor, with a policy that introspects JWTs as well.
  test.each<[string, Claims, object]>([
    ['the client', { client_id: 'release-bot' }, { reason: 'proof_missing', about: { agent: 'bot' } }],
    ['the actor', { act: { sub: 'other' } }, { reason: 'actor_not_allowed' }],
    ['an invalid actor', { act: null }, { reason: 'claim_absent' }],
    ['a malformed client', { client_id: null }, { reason: 'claim_absent' }],
    ['a key of another kind', { cnf: { kid: 'x' } }, { reason: 'proof_invalid' }],
  ])('about a JWT counts if only the answer names %s', (_, reported, expected) => {
    const jwt = { provider: 'okta', claims: { ...ANN }, expires: NOW + 600, key: 'k' };
    const verified = confirmedToken(jwt, { ...answer, ...reported }, requested('generic'), NOW + 60);
    const table = { ...tableWith(bound), providers: { okta: requested('generic') } };
    expect(verified.ok ? toCaller(verified.value, table, NOW) : verified).toMatchObject({ ok: false, ...expected });
  });

  test('about a JWT does not override the claims of the JWT', () => {
    const jwt = { provider: 'okta', claims: { ...ANN, azp: 'portal' }, expires: NOW + 600, key: 'k' };
    expect(
      confirmedToken(jwt, { ...answer, client_id: 'other', sub: 'eve' }, requested('generic'), NOW + 60),
    ).toMatchObject({
      ok: true,
      value: { claims: jwt.claims },
    });
  });
});

describe('an agent that acts alone', () => {
  const itself = { ...bot, alone: true } as const;

  test('has its own name and no role', () => {
    expect(callerOf({ cid: 'release-bot', uid: 'release-bot', sub: 'release-bot' }, [itself])).toEqual({
      provider: 'okta',
      subject: 'okta-release-bot',
      roles: [],
      groups: [],
      claims: {},
      agent: 'bot',
      alone: true,
      actors: ['release-bot'],
    });
  });

  test('is alone even if the policy lets it act for people only', () => {
    expect(callerOf({ cid: 'release-bot', sub: 'release-bot' })).toMatchObject({ agent: 'bot', alone: true });
  });

  test('acts for a person if the token names an actor', () => {
    const claims = { cid: 'release-bot', sub: 'release-bot', act: { sub: 'release-bot' } };
    expect(callerOf(claims, [itself])).not.toHaveProperty('alone');
  });
});

describe('refused', () => {
  const deep = (hops: number): unknown => (hops === 0 ? undefined : { sub: 'release-bot', act: deep(hops - 1) });
  test.each<[string, Claims, string]>([
    ['an actor of no agent', { act: { sub: 'other' } }, 'actor_not_allowed: no agent of the policy is "other"'],
    [
      'an actor of no agent, though its client is one',
      { cid: 'release-bot', act: { sub: 'other' } },
      'actor_not_allowed: no agent of the policy is "other"',
    ],
    [
      'an actor of no agent, though its subject has the claim of one',
      { team: 'robots', act: { sub: 'evil' } },
      'actor_not_allowed: no agent of the policy is "evil"',
    ],
    [
      'an actor of no agent, though client and subject are of some',
      { cid: 'release-bot', team: 'robots', act: { sub: 'evil' } },
      'actor_not_allowed: no agent of the policy is "evil"',
    ],
    [
      'one agent acting with the token of another',
      { cid: 'far-bot', act: { sub: 'release-bot' } },
      'actor_not_allowed: the token was issued to agent far, and its actor is agent bot',
    ],
    [
      'a token of two clients, each an agent',
      { azp: 'release-bot', client_id: 'far-bot' },
      'actor_not_allowed: the token names clients of two agents, bot and far',
    ],
    [
      'one agent acting with a token that names another as its second client',
      { azp: 'release-bot', client_id: 'far-bot', act: { sub: 'release-bot' } },
      'actor_not_allowed: the token was issued to agent far, and its actor is agent bot',
    ],
    [
      'a subject who lets the second client act, and not the agent',
      { azp: 'spa', client_id: 'release-bot', may_act: { sub: 'spa' } },
      'actor_not_allowed: the token allows another actor',
    ],
    [
      'a client of another issuer',
      { act: { sub: 'release-bot', iss: 'https://x.test' } },
      'actor_not_allowed: no agent',
    ],
    [
      'too long a chain',
      { act: { sub: 'release-bot', act: { sub: SPIFFE } } },
      'actor_not_allowed: this is hop 2 for one person, but bot may do 1 hop',
    ],
    [
      'a subject who lets another act',
      { cid: 'release-bot', may_act: { sub: 'far-bot' } },
      'actor_not_allowed: the token allows another actor',
    ],
    [
      'or an actor in another form',
      { cid: 'release-bot', may_act: 'release-bot' },
      'actor_not_allowed: the token allows another actor',
    ],
    [
      'or one of another issuer',
      { cid: 'release-bot', may_act: { sub: 'release-bot', iss: 'https://x.test' } },
      'actor_not_allowed: the token allows another actor',
    ],
    ['a chain without end', { act: deep(MAX_HOPS + 1) }, 'claim_absent: "act"'],
    ...[
      null,
      'release-bot',
      [],
      {},
      { sub: '' },
      { sub: 7 },
      { sub: ['release-bot'] },
      { sub: 'release-bot', act: null },
    ].map((act): [string, Claims, string] => [`act ${JSON.stringify(act)}`, { act }, 'claim_absent: "act"']),
  ])('%s', (_, claims, says) => {
    expect(refusal(claims)).toContain(says);
  });

  test('an actor is refused by a policy without agents as well', () => {
    expect(refusal({ act: { sub: 'release-bot' } }, [])).toContain('actor_not_allowed: no agent of the policy is');
  });

  test.each([
    ['dpop', 'a key of DPoP'],
    ['certificate', 'a client certificate'],
    ['any', 'a key of DPoP or a client certificate'],
  ] as const)('a token without the binding of its agent is refused: %s', (bound, what) => {
    const reported = refusal({ cid: 'release-bot' }, [{ ...bot, bound }]);
    expect(reported).toBe(`proof_missing: the tokens of agent bot must be bound to ${what}`);
  });
});

describe('the claims of Entra ID', () => {
  const agents = [{ ...bot, alone: true } as const];
  const of = (claims: Claims) => callerOf(claims, agents, 'entra');

  test('an agent for a person', () => {
    expect(of({ azp: 'release-bot', idtyp: 'user', xms_act_fct: '3 9 11' })).toMatchObject({
      subject: 'ann-sub',
      roles: ['staff'],
      agent: 'bot',
    });
    expect(of({ azp: 'release-bot', idtyp: 'user', xms_act_fct: '3 9 11' })).not.toHaveProperty('alone');
  });

  test.each<[string, Claims]>([
    ['by itself', { appid: 'release-bot', idtyp: 'app', xms_act_fct: '11', xms_sub_fct: '11' }],
    ['with an account of its own, and no person behind it', { azp: 'release-bot', idtyp: 'user', xms_sub_fct: '1 13' }],
  ])('an agent %s', (_, claims) => {
    expect(of(claims)).toMatchObject({ agent: 'bot', alone: true, roles: [] });
  });

  test.each<[string, Claims]>([
    ['the actor', { xms_act_fct: '9 11' }],
    ['the subject', { xms_sub_fct: '13' }],
    ['its parent', { xms_par_app_azp: '30cf4c22-9985-4ef7-8756-91cc888176bd' }],
    ['a list', { xms_act_fct: ['9', '11'] }],
    ['a number', { xms_act_fct: 11 }],
    ['an unreadable value', { xms_act_fct: null }],
    ['an object', { xms_sub_fct: { facets: '3' } }],
  ])('an unknown agent, by %s', (_, claims) => {
    for (const known of [agents, []]) {
      expect(refusal({ azp: 'other', ...claims }, known, 'entra')).toContain(
        'actor_not_allowed: no agent of the policy is',
      );
    }
  });

  test.each<[string, Claims]>([
    ['other facets', { xms_act_fct: '9 3', xms_sub_fct: '1 113' }],
    ['none', {}],
  ])('a person, by %s', (_, claims) => {
    expect(of({ azp: 'portal', ...claims })).toMatchObject({ roles: ['staff', 'admin'] });
  });
});

describe('the decision', () => {
  const rules = [
    { id: 'r#1', who: { kind: 'role', role: 'staff' }, methods: ['GET'], service: 's', as: '' },
    { id: 'r#2', who: { kind: 'agent', agent: 'bot', actsFor: ['staff'] }, service: 's', as: '' },
    { id: 'r#3', who: { kind: 'agent', agent: 'night', actsFor: [], alone: true }, service: 's', as: '' },
    { id: 'r#4', who: { kind: 'anyone' }, methods: ['PUT'], service: 's', as: '' },
  ] as const;
  const outcome = (caller: Parameters<typeof decide>[1], method = 'GET') => {
    const decision = decide(rules, caller, { route: 'r', method });
    return decision.allow ? decision.rule.id : decision.reason;
  };

  test.each([
    ['for a person with the role', { roles: ['staff'], agent: 'bot' }, 'GET', 'r#2'],
    ['for a person without the role', { roles: [], agent: 'bot' }, 'GET', 'role_missing'],
    ['for anyone', { roles: [], agent: 'bot' }, 'PUT', 'r#2'],
    ['alone, and may', { roles: [], agent: 'night', alone: true }, 'DELETE', 'r#3'],
    ['alone, and may not', { roles: [], agent: 'bot', alone: true }, 'PUT', 'actor_not_allowed'],
    ['for a person, although it may only act alone', { roles: ['staff'], agent: 'night' }, 'PUT', 'actor_not_allowed'],
    ['without a rule', { roles: ['staff'], agent: 'other' }, 'PUT', 'actor_not_allowed'],
  ] as const)('an agent %s', (_, caller, method, expected) => {
    expect(outcome(caller, method)).toBe(expected);
  });
});

describe('a certificate', () => {
  const holder = (spiffe: string | undefined) => ({
    ...(spiffe !== undefined && { spiffe }),
    ...{ dns: ['bot.test'], subject: 'CN=bot', notBefore: 0, notAfter: NOW, thumbprint: 't' },
  });

  test('with the SPIFFE id of an agent is that agent, alone', () => {
    expect(certificateCaller(holder(SPIFFE), [bot, workload])).toMatchObject({
      ok: true,
      value: { subject: SPIFFE, agent: 'workload', alone: true, roles: [], actors: [SPIFFE] },
    });
  });

  test('is that agent even if the policy names a provider for its tokens', () => {
    const ofOne = { ...workload, match: { kind: 'spiffe', spiffe: SPIFFE, provider: 'okta' } } as const;
    expect(certificateCaller(holder(SPIFFE), [ofOne])).toMatchObject({ value: { agent: 'workload', alone: true } });
  });

  test('of any other holder is not an agent', () => {
    for (const spiffe of [undefined, `${SPIFFE}x`]) {
      const caller = certificateCaller(holder(spiffe), [bot, workload]);
      expect([caller.ok, JSON.stringify(caller).includes('agent')]).toEqual([true, false]);
    }
  });

  test('does not replace a DPoP key', () => {
    expect(certificateCaller(holder(SPIFFE), [{ ...workload, bound: 'dpop' }])).toMatchObject({
      reason: 'proof_missing',
    });
  });
});
