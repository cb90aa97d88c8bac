/* What gateways store under names of the policy, and what a change of these names does to it. `diff`, `validate
 * --online`, the log after a reload and docs/upgrade.md say this. Data that a change keeps has no entry for it. */

/** The changes of the policy that have such an effect, as docs/upgrade.md names them. */
export const CHANGES = {
  provider: 'a provider gets another name',
  redirect: 'a provider gets other redirect URIs: it is renamed, or a host has a second provider or only one',
  issuer: 'a provider gets another issuer, or its name is given to another issuer',
  tenant: 'a provider has an issuer less, such as one of `tenants`',
  claim: 'a provider gets another `subject.claim`',
  prefix: 'a provider gets another `subject.prefix`',
  host: 'a host with sessions is renamed or removed',
  signinHost: 'another `gateway.signin.host`',
  sessions: 'no host accepts sessions any more',
  keysFile: 'another `gateway.session.keys_file`',
  people: '`gateway.session.people` changes the size of zones',
  store: 'another etcd, another `gateway.store.prefix`, or etcd is removed',
  limit: 'a limit changes, or what it counts is renamed: a host, a route or an agent',
  budgets: 'another `gateway.limits.zone`',
  proof: '`gateway.proof` changes the size of zones',
  pseudonyms: 'another `gateway.audit.pseudonyms.key_file`, or pseudonyms begin or end',
  log: 'another `gateway.audit.host` (by default, the first host) or `instance`',
  assertion: 'another `gateway.assertion.issuer`',
  service: 'a service is renamed or removed',
  name: 'another `gateway.name`',
} as const;

export type ChangeKind = keyof typeof CHANGES;

/** `again`: it is fetched, verified or counted again, without an effect on people. `ends`: a person, a caller or an operator
 * notices that it is gone. `others`: the same name means another person, or the same person has another name. `opens`:
 * it closed something that is open now. */
export type Effect = 'again' | 'ends' | 'others' | 'opens';

/** Data that gateways store. */
export interface Stored {
  readonly what: string;
  /** The zones of shared memory, without `meshgate_`. */
  readonly zones: readonly string[];
  /** The beginnings of etcd's keys after the prefix of the policy, cookies, and files or folders. */
  readonly etcd?: readonly string[];
  readonly cookies?: readonly string[];
  readonly files?: readonly string[];
  /** The names under which it is stored. */
  readonly by: string;
  /** The names without which a policy stores nothing of it; absent: each policy does. */
  readonly needs?: ChangeKind;
  readonly on: Readonly<Partial<Record<ChangeKind, readonly [effect: Effect, what: string]>>>;
}

const AGAIN = ['again', 'are verified again'] as const;
const SIGNS_IN = ['ends', 'end, and people sign in again'] as const;
const BEGINS = ['ends', 'begin again'] as const;
const FULL = ['ends', 'begin anew: callers have all of it again'] as const;

/** All data that gateways store. A test compares the zones, cookies, files and keys of etcd with what is rendered. */
export const STORED: readonly Stored[] = [
  {
    what: 'revocations and sign-outs',
    zones: ['revoked'],
    etcd: ['revoked/'],
    files: ['revoked.json', 'revoke/'],
    by: 'issuer, claim and value of a person; id of a session, a token or a key; issuer and id of the provider’s session',
    needs: 'sessions',
    on: {
      issuer: ['opens', 'of people do not apply to the new issuer: if it has the same people, revoke them again'],
      sessions: [
        'opens',
        'do not apply to tokens until a host accepts sessions again: the image refuses the policy while its state has any',
      ],
      people: ['opens', 'of the last second before a reload can be lost without etcd: revoke those again'],
      store: ['opens', 'do not reach a replica that starts without the state of an earlier one: revoke again'],
    },
  },
  {
    what: 'session cookies',
    zones: [],
    cookies: ['__Host-Http-meshgate'],
    by: 'host, provider, issuer, id of the session key',
    needs: 'sessions',
    on: {
      provider: SIGNS_IN,
      issuer: SIGNS_IN,
      tenant: ['ends', 'of people of this issuer end'],
      host: ['ends', 'of this host end'],
      sessions: ['ends', 'are ignored'],
      keysFile: ['ends', 'end, unless the new file has the keys of the old one'],
    },
  },
  {
    what: 'records with refresh tokens',
    zones: ['sessions', 'renewals'],
    etcd: ['session/', 'lock/'],
    by: 'id of the session; inside, the provider and its issuer',
    needs: 'sessions',
    on: {
      provider: ['ends', 'are not used any more'],
      issuer: ['ends', 'are not used any more'],
      tenant: ['ends', 'of people of this issuer are not used any more'],
      keysFile: ['ends', 'are not used any more, unless the new file has the keys of the old one'],
      people: ['ends', 'without etcd are gone: sessions are renewed through the provider'],
      store: ['ends', 'are not found any more: sessions are renewed through the provider'],
    },
  },
  {
    what: 'sign-ins that have begun',
    zones: [],
    cookies: ['__Host-Http-meshgate-a-'],
    by: 'host, provider, issuer, id of the session key',
    needs: 'sessions',
    on: { provider: BEGINS, issuer: BEGINS, host: BEGINS, signinHost: BEGINS, keysFile: BEGINS },
  },
  {
    what: 'marks of values that are used once',
    zones: ['once'],
    etcd: ['once/', 'spoilt/'],
    by: 'the value itself, or a hash by the session key',
    needs: 'sessions',
    on: {
      people: ['opens', 'without etcd are gone: the ticket of a sign-in host can be used again in its minute'],
      store: ['opens', 'are gone: the ticket of a sign-in host can be used again in its minute'],
    },
  },
  {
    what: 'counts of sign-ins',
    zones: ['signins'],
    by: 'issuer and `sub`',
    needs: 'sessions',
    on: { issuer: ['again', 'begin anew'], people: ['again', 'begin anew'] },
  },
  {
    what: 'known tokens, and answers about opaque tokens',
    zones: ['tokens', 'answers', 'inactive', 'active'],
    by: 'a hash of the token and of what the policy verifies',
    on: { provider: AGAIN, issuer: AGAIN, tenant: AGAIN, claim: AGAIN, prefix: AGAIN },
  },
  {
    what: 'keys and documents of providers, and their locks',
    zones: ['keys', 'locks'],
    files: ['keys.json'],
    by: 'provider and issuer',
    on: { provider: ['again', 'are fetched again'], issuer: ['again', 'are fetched again'] },
  },
  {
    what: 'budgets of callers',
    zones: ['budgets'],
    by: 'host, route or gateway, rate and burst, agent, issuer and subject',
    needs: 'budgets',
    on: { issuer: FULL, claim: FULL, prefix: FULL, limit: FULL, budgets: FULL },
  },
  {
    what: 'budgets of addresses',
    zones: ['addresses'],
    by: 'host, route or gateway, rate and burst, address',
    needs: 'budgets',
    on: { limit: FULL, budgets: FULL },
  },
  {
    what: 'marks of used DPoP proofs',
    zones: ['proofs', 'proof_keys'],
    by: 'key and `jti`',
    needs: 'proof',
    on: { proof: ['opens', 'are gone: a used proof passes once more while it is valid'] },
  },
  {
    what: 'names and pseudonyms of people in the log',
    zones: [],
    by: 'provider, subject with its prefix, first key of the file',
    on: {
      provider: ['others', 'change: the same person has another name from now on'],
      issuer: ['others', 'of this provider mean other people from now on'],
      claim: ['others', 'change: the same person has another name from now on'],
      prefix: ['others', 'change: the same person has another name from now on'],
      pseudonyms: ['others', 'change: the same person has another name from now on'],
    },
  },
  {
    what: 'the sealed log',
    zones: [],
    files: ['audit/'],
    by: 'host and instance',
    needs: 'log',
    on: {
      log: ['ends', 'does not continue: the image refuses the policy; name the old host, or give it a new folder'],
    },
  },
  {
    what: 'assertions that services hold',
    zones: [],
    by: 'issuer of the assertion, service, provider and subject',
    needs: 'assertion',
    on: {
      provider: ['ends', 'are rejected at the inner listener until they are renewed'],
      assertion: ['ends', 'are rejected by services and meshes until these have the new issuer'],
      service: ['ends', 'of this service are rejected'],
    },
  },
  {
    what: 'redirect URIs at the provider',
    zones: [],
    by: 'host, `gateway.public_port`; provider, if several sign people in at the host',
    needs: 'sessions',
    on: { redirect: ['ends', 'are not enough: register these there before the change, or people cannot sign in'] },
  },
  {
    what: 'objects in Kubernetes and Consul',
    zones: [],
    by: 'name of the gateway',
    on: { name: ['opens', 'with the old name stay, and allow what they allowed: delete them'] },
  },
  {
    what: 'states of certificates and secrets',
    zones: ['svids'],
    by: 'identity, client or path of the file',
    on: {},
  },
  {
    what: 'counts of metrics',
    zones: ['counts', 'series'],
    by: 'the values of their labels',
    on: { provider: ['again', 'have the old name until nginx restarts, and the new one from now on'] },
  },
  {
    what: 'counts of connections, open requests and requests of the sign-in',
    zones: [
      ...['front_from', 'front_site', 'front_worker', 'open', 'open_site', 'open_signin', 'open_backchannel'],
      ...['signin_rate', 'signin_sites', 'signin_aside'],
    ],
    by: 'address',
    on: {},
  },
];

/** The names of a policy, for {@link storedChanges}. The names of hosts and services are absent in rendered files. */
export interface StoredNames {
  /** The issuers, the subject claim and its prefix, by provider. States of earlier builds have no redirect URIs. */
  readonly providers: Readonly<
    Record<string, readonly [issuers: readonly string[], claim: string, prefix: string, uris?: readonly string[]]>
  >;
  /** Everything that is compared as it stands. */
  readonly one: Readonly<Partial<Record<ChangeKind, string>>>;
  /** Lists whose members are compared. */
  readonly many: Readonly<Partial<Record<ChangeKind, readonly string[]>>>;
}

/** Reads the names that a gateway has stored.
 * @returns undefined if the text is not JSON of such names */
export function readStoredNames(text: string): StoredNames | undefined {
  try {
    const names = JSON.parse(text) as StoredNames;
    storedChanges(names, names); // throws if a member is missing or has another form
    return names;
  } catch {
    return undefined;
  }
}

/** A change of a name, and what it does to stored data. */
export interface StoredChange {
  readonly kind: ChangeKind;
  /** What changed in this policy. */
  readonly text: string;
  readonly effects: readonly { readonly what: string; readonly effect: Effect; readonly text: string }[];
}

/** Maximum number of names that a line has. If there are more, it says so. */
const MOST_NAMES = 5;

const listed = (names: readonly string[]): string =>
  `${names.slice(0, MOST_NAMES).join('; ')}${names.length > MOST_NAMES ? '; …' : ''}`;

function providerChanges({ providers: old }: StoredNames, { providers: fresh }: StoredNames): [ChangeKind, string][] {
  const all: [ChangeKind, string][] = [];
  for (const [name, [issuers, claim, prefix, uris = []]] of Object.entries(old)) {
    const isSame = (other: string) => fresh[other]?.[0].some((issuer) => issuers.includes(issuer)) === true;
    const found = isSame(name) ? name : Object.keys(fresh).find((other) => !(other in old) && isSame(other));
    const [now, taken] = [found === undefined ? undefined : fresh[found], fresh[name]];
    if (taken && !isSame(name)) {
      all.push(['issuer', `provider ${name}: issuer ${issuers.join(', ')} → ${taken[0].join(', ')}`]);
    }
    if (now === undefined) continue;
    const gone = issuers.filter((issuer) => !Object.values(fresh).some(([others]) => others.includes(issuer)));
    if (gone.length > 0) all.push(['tenant', `provider ${found}: no issuer ${gone.join(', ')} any more`]);
    if (found !== name) all.push(['provider', `provider ${name} is now ${found}`]);
    const [, , , registered = []] = now;
    const added = registered.filter((uri) => !uris.includes(uri));
    // A host more needs a redirect URI more, but ends nothing.
    if (added.length > 0 && uris.some((uri) => !registered.includes(uri))) {
      all.push(['redirect', `provider ${found} sends people to ${listed(added)}`]);
    }
    if (claim !== now[1]) all.push(['claim', `provider ${name}: subject.claim ${claim} → ${now[1]}`]);
    if (prefix !== now[2]) {
      all.push(['prefix', `provider ${name}: subject.prefix ${JSON.stringify(prefix)} → ${JSON.stringify(now[2])}`]);
    }
  }
  return all;
}

/** What a text says of a value that a policy does not have. */
const NOTHING = 'nothing';

/** Whether a value matters that only one of the policies has. In most cases, nothing was stored before, or another
 * change says the same. */
const isAlone = (kind: ChangeKind, was: string | undefined): boolean =>
  kind === 'pseudonyms' || (was !== undefined && (kind === 'sessions' || kind === 'store'));

/** What a line says of members of a list that the new policy does not have. */
const GONE: Readonly<Partial<Record<ChangeKind, string>>> = {
  host: 'no sessions any more at',
  limit: 'other limits than',
  service: 'no service any more with the name',
};

/** Whether a list has a name. A wildcard host keeps the sessions of the names that it matches. */
const has = (list: readonly string[], name: string): boolean =>
  list.includes(name) || list.some((other) => other.startsWith('*.') && name.endsWith(other.slice(1)));

/** Returns the changes of names from one policy to another that have an effect on stored data. */
export function storedChanges(old: StoredNames, fresh: StoredNames): readonly StoredChange[] {
  const found = providerChanges(old, fresh);
  for (const kind of Object.keys(CHANGES) as ChangeKind[]) {
    const [was, is] = [old.one[kind], fresh.one[kind]];
    const both = was !== undefined && is !== undefined;
    if (was !== is && (both || isAlone(kind, was))) found.push([kind, `${kind}: ${was ?? NOTHING} → ${is ?? NOTHING}`]);
    const now = fresh.many[kind];
    const gone = now === undefined ? [] : (old.many[kind] ?? []).filter((one) => !has(now, one));
    if (gone.length > 0) found.push([kind, `${GONE[kind] ?? kind} ${listed(gone)}`]);
  }
  return found.flatMap(([kind, text]) => {
    const effects = STORED.flatMap(({ what, on, needs }) => {
      const [effect, says] = on[kind] ?? ['again', ''];
      if (effect === 'again' || (needs !== undefined && old.one[needs] === undefined)) return [];
      return [{ what, effect, text: says }];
    });
    return effects.length === 0 ? [] : [{ kind, text, effects }];
  });
}

/** Returns a change as one sentence without its full stop. */
export const storedText = ({ text, effects }: StoredChange): string =>
  `${text}: ${effects.map(({ what, text: says }) => `${what} ${says}`).join('; ')}`;
