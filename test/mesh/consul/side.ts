import { isCanonical } from '../../../src/base/raw-path.ts';
import type { Policy } from '../../../src/policy/checked/types.ts';
import { type Enforced, enforced } from '../../../src/rules/enforced.ts';
import type { Rule } from '../../../src/rules/types.ts';
import { expectedOf, spiffeOf, type View } from '../matrix/expect.ts';
import { mcpHeaders, takesMessage } from '../matrix/messages.ts';
import type {
  Answer,
  Cell,
  Credential,
  Mutable,
  OriginalTrial,
  Rendered,
  Trial,
  VersionTrial,
} from '../matrix/types.ts';
import { OTHER_KEYS, renderedEntries, storeWith, tokenOf } from './ask.ts';
import { isService, type Requested, type Setup, type Store, type Token, verdictOf } from './evaluate.ts';
import type { Permission, Required, Source } from './objects.ts';

/** A raw path for a proxy that does not normalise paths. */
function asItIs(raw: string): ReturnType<View['path']> {
  const path = raw.replace(/[?#].*$/s, '');
  return isCanonical(raw) ? { path } : { refused: 'refused: rules' };
}

/** What Consul sees: at the workload, the connecting identity and the assertion, and no host. */
export function consulView(policy: Policy, path: View['path'] = asItIs): Omit<View, 'rules'> {
  const ingress = policy.mesh?.ingress.consulService;
  return {
    policy,
    layer: ingress === undefined ? 'ingress' : 'workload',
    assertion: policy.gateway.assertion !== undefined,
    as: policy.gateway.assertion !== undefined,
    authorities: () => 'any',
    path,
    // An invalid assertion counts as none.
    flawed: () => 'refused: rules',
    connects: () => true,
    ...(ingress !== undefined && { ingress: `spiffe://${policy.mesh?.trustDomain}/ns/default/dc/dc2/svc/${ingress}` }),
  };
}

const nameOf = (entry: unknown): string => {
  const { Kind, Name } = entry as { Kind: string; Name: string };
  return `${Kind} ${Name}`;
};

/** Whether the assertion of a credential is the gateway's own for the service, and not expired. */
const isGood = ({ flaw, service }: Credential, cell: Cell): boolean => flaw === undefined && service === cell.service;

/** Seconds: more than the clock skew of Envoy. */
const EXPIRED_FOR = 70;

/** The token for a credential, wrong in the one part that its flaw names. */
function presented(policy: Policy, credential: Credential, now: number): Token | undefined {
  const { flaw } = credential;
  const lifetime = policy.gateway.assertion?.lifetime ?? 0;
  const at = flaw === 'expired' ? now - lifetime - EXPIRED_FOR : now;
  const token = tokenOf(policy, credential, at);
  if (token === undefined) return undefined;
  switch (flaw) {
    case 'garbage':
    case 'unsigned':
    case 'altered':
    case 'unknown key':
      return { ...token, keys: OTHER_KEYS };
    case 'issuer':
      return { ...token, claims: { ...token.claims, iss: `${token.claims.iss}.test` } };
    default:
      return token;
  }
}

/**
 * The rules for the callers that the assertion describes: an agent has its own, different ones alone and for people,
 * and agents also pass where anyone does.
 */
function rulesFor(rules: readonly Enforced[], credential: Credential | undefined): readonly Enforced[] {
  const isOf = ({ agent, alone }: Enforced) =>
    (agent ?? undefined) === credential?.agent && (alone ?? false) === (credential?.alone ?? false);
  return rules.filter((rule) => rule.who.kind === 'anyone' || isOf(rule));
}

const NOW = 1_800_000_000;

/** Consul's documented rules over what `meshgate render` writes; see {@link ./evaluate.ts}. */
export class ConsulSide implements Mutable {
  readonly name = 'consul';
  readonly objects: readonly Rendered[];
  readonly #policy: Policy;
  readonly #rules: readonly Enforced[];
  readonly #view: Omit<View, 'rules'>;
  readonly #store: Store;

  constructor(policy: Policy, rules: readonly Rule[], view = consulView(policy)) {
    this.#policy = policy;
    this.#rules = enforced(rules);
    this.#view = view;
    this.objects = renderedEntries(policy, rules).map((value) => ({ name: nameOf(value), value }));
    this.#store = storeWith(this.objects.map(({ value }) => value));
  }

  /** Undefined for a service outside the mesh. The datacenter in a SPIFFE id has no meaning. */
  expected(cell: Cell): Answer | undefined {
    if (this.#policy.services[cell.service]?.direct !== undefined) return undefined;
    const { credential, ...without } = cell;
    const good = credential !== undefined && isGood(credential, cell);
    const { agent: _, alone: __, ...person }: Credential = credential ?? { roles: [], service: cell.service };
    const rules = rulesFor(this.#rules, good ? credential : undefined).filter((it) => takesMessage(it, cell));
    const seen = good ? { ...without, credential: person } : without;
    return expectedOf(seen, { ...this.#view, rules });
  }

  ask(cell: Cell): Answer {
    return this.#ask(this.#store, cell);
  }

  /**
   * Asks in a mesh that refuses by default and, for calls of services, in one that allows by default: there tokens are
   * ignored, and all else applies. In both, proxies accept connections without TLS unless an entry says otherwise.
   */
  #ask(store: Store, cell: Cell): Answer {
    if (cell.connects.kind === 'other CA' || cell.connects.kind === 'no certificate') return 'refused: connection';
    const client = cell.connects.kind === 'plain' ? undefined : spiffeOf(cell, { ...this.#view, rules: [] });
    const token = cell.credential && presented(this.#policy, cell.credential, NOW);
    const { service, method, path } = cell;
    const requested: Requested = {
      service: this.#policy.services[service]?.consulService ?? service,
      method,
      path,
      headers: mcpHeaders(cell.mcp),
      now: NOW,
      ...(client !== undefined && { client }),
      ...(token && { token }),
    };
    const setup: Setup = {
      trustDomain: this.#policy.mesh?.trustDomain ?? '',
      byDefault: 'deny',
      mutualTls: 'permissive',
    };
    const reported = verdictOf(store, requested, setup);
    switch (reported.kind) {
      case 'no connection':
        return 'refused: connection';
      case 'refused token':
        return 'refused: rules';
      case 'refused':
        return isService(client ?? '', setup.trustDomain) &&
          verdictOf(store, requested, { ...setup, byDefault: 'allow' }).kind === 'allowed'
          ? 'wrong: it passes where the mesh allows by default'
          : 'refused: rules';
      default:
        return reported.forwarded ? 'allowed' : 'wrong: the service does not get the assertion';
    }
  }

  *trials(versions: readonly (readonly Rendered[])[]): Generator<VersionTrial | OriginalTrial> {
    for (const [version, objects] of versions.entries()) yield { ...this.#trial(objects), version };
    yield { ...this.#trial(this.objects), originalOf: [...versions.keys()] };
  }

  #trial(objects: readonly Rendered[]): Trial {
    try {
      const store = storeWith(objects.map(({ value }) => value));
      return { ask: (cell) => this.#ask(store, cell) };
    } catch (error) {
      return { rejected: (error as Error).message };
    }
  }

  /** Why a version means the same as what was rendered: Consul fills in the missing part, or requires it elsewhere
   * too. */
  same(version: readonly Rendered[]): string | undefined {
    const kept = storeWith(version.map(({ value }) => value));
    if (textOf(kept) === textOf(this.#store)) return 'Consul fills in the same value';
    return textOf(query(kept)) === textOf(query(this.#store)) ? 'the audience is asked for twice' : undefined;
  }
}

const textOf = ({ providers, defaults, intentions }: Store): string =>
  JSON.stringify([[...providers], [...defaults], [...intentions]]);

/** Audiences with which a token passes here. */
function audiences({ providers }: Store, { provider, claims }: Required): readonly string[] | 'any' {
  const taken = providers.get(provider)?.audiences ?? [];
  const requested = claims.filter(({ path }) => path.join() === 'aud').map(({ value }) => value);
  if (requested.length === 0) return taken.length === 0 ? 'any' : taken;
  return requested.filter((it) => taken.length === 0 || taken.includes(it));
}

/** A store in which only each permission names the required audience. */
function query(store: Store): Store {
  const own = (required: Required) => ({
    ...required,
    claims: required.claims.filter(({ path }) => path.join() !== 'aud'),
    audiences: audiences(store, required),
  });
  const permission = (it: Permission) => ({ ...it, jwt: it.jwt.map(own) });
  const source = (it: Source) => ({ ...it, permissions: it.permissions.map(permission) });
  return {
    ...store,
    providers: new Map([...store.providers].map(([name, it]) => [name, { ...it, audiences: [] }])),
    intentions: new Map([...store.intentions].map(([name, it]) => [name, { ...it, sources: it.sources.map(source) }])),
  };
}
