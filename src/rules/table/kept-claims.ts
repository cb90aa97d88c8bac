import { isOfGroup } from '../../caller/roles/roles.ts';
import { agentsOf } from '../../caller/token-agents.ts';
import type { Fact, HeaderSource, Policy, Provider } from '../../policy/checked/types.ts';
import { isLeaf, providerOf, readsOf } from '../../policy/facts/describe.ts';
import type { Read as ReadClaim } from '../../policy/facts/operator.ts';
import { type ProviderKind, providerKind, signinHelp } from '../../providers/index.ts';
import { readPaths } from '../../session/flow/userinfo.ts';
import type { KeptClaims } from '../../session/types.ts';
import type { SigninHelp } from '../types.ts';
import { withoutPrototype } from '../without-prototype.ts';

class Read {
  readonly #entire = new Set<string>();
  readonly #elements = new Map<string, Set<string>>();

  /** Adds claims that the session must keep as a whole, if the provider's kind has them. */
  entire(...paths: readonly (string | undefined)[]): void {
    for (const path of paths) if (path !== undefined) this.#entire.add(path);
  }

  /** Adds a claim that the policy compares with one value. If the value is a text, the session keeps only this element
   * of a list. Otherwise it keeps the whole claim, because the result depends on the types of all elements. */
  claim({ path, value, kept }: ReadClaim): void {
    if (kept) return;
    if (typeof value !== 'string') this.entire(path);
    else this.#elements.set(path, (this.#elements.get(path) ?? new Set()).add(value));
  }

  reads(path: string): boolean {
    return this.#entire.has(path) || this.#elements.has(path);
  }

  get paths(): readonly string[] {
    return [...this.#entire];
  }

  get elements(): Readonly<Record<string, readonly string[]>> {
    const some = [...this.#elements].filter(([path]) => !this.#entire.has(path));
    return withoutPrototype(some.map(([path, values]) => [path, [...values]] as const));
  }
}

function readFact(read: Read, fact: Fact, provider: string, kind: ProviderKind): void {
  if (isLeaf(fact)) {
    if ((providerOf(fact) ?? provider) === provider) for (const claim of readsOf(fact, kind)) read.claim(claim);
  } else if ('facts' in fact) {
    const isOther = (part: Fact) => part.op === 'provider' && part.value !== provider;
    // Such an `all` is false for this provider, so its facts read nothing, unless the kind may leave out groups.
    if (fact.op === 'all' && kind.leftOut === undefined && fact.facts.some(isOther)) return;
    for (const part of fact.facts) readFact(read, part, provider, kind);
  }
}

function readSource(read: Read, source: HeaderSource, kind: ProviderKind): void {
  if (source === 'groups') read.entire(kind.groups, kind.leftOut);
  else if (source === 'name') read.entire(kind.displayName);
  else if (source === 'email') read.entire(kind.email, kind.emailVerified);
  else if (typeof source === 'object' && 'claim' in source) read.entire(source.claim);
}

function ofProvider(policy: Policy, sources: readonly HeaderSource[], provider: Provider): Read {
  const kind = providerKind(provider.kind);
  if (kind === undefined) throw new Error(`no provider kind ${provider.kind}`);
  const read = new Read();
  // A back-channel sign-out names `sub`, even if the subject is read from another claim.
  read.entire('sub', provider.subject.claim);
  const facts = Object.values(policy.roles).map(({ fact }) => fact);
  for (const fact of facts) readFact(read, fact, provider.name, kind);
  // A claim that identifies an agent must stay in the session: the account of an agent is not a person.
  const agents = Object.values(policy.agents).flatMap(({ match }) => (match.kind === 'claim' ? { match } : []));
  for (const { match } of agentsOf(agents, provider, policy.providers)) {
    for (const claim of readsOf(match.fact, kind)) read.claim(claim);
  }
  // Without these groups the roles of a caller are unknown, and the gateway denies the request.
  if (kind.leftOut !== undefined && facts.some((fact) => isOfGroup(fact, provider.name))) read.entire(kind.leftOut);
  for (const source of sources) readSource(read, source, kind);
  // An e-mail address counts only if it is verified.
  if (kind.email !== undefined && read.reads(kind.email)) read.entire(kind.emailVerified);
  return read;
}

/** Returns, for each provider, the claims that a session must keep so that its caller is the same as with all claims.
 * Each session also keeps `auth_time`. */
export function keptClaims(policy: Policy, sources: readonly HeaderSource[]): KeptClaims {
  const all = Object.values(policy.providers).filter(({ client }) => client !== undefined);
  const read = all.map((provider) => [provider.name, ofProvider(policy, sources, provider)] as const);
  return {
    paths: withoutPrototype(read.map(([name, { paths }]) => [name, paths] as const)),
    elements: withoutPrototype(read.map(([name, { elements }]) => [name, elements] as const)),
  };
}

/** Returns the claims that roles require and ID tokens have only by configuration, each with what to change. */
export function signinClaims(policy: Policy): SigninHelp | undefined {
  const kept = keptClaims(policy, []);
  const all = Object.values(policy.providers).flatMap(({ name, kind }) => {
    const of = providerKind(kind);
    const helps = readPaths(kept, name).flatMap((path) => {
      const help = of && signinHelp(of, path);
      return help === undefined ? [] : [[path, help] as const];
    });
    return helps.length === 0 ? [] : [[name, helps] as const];
  });
  return all.length === 0 ? undefined : withoutPrototype(all);
}
