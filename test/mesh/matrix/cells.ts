import type { Policy, Service } from '../../../src/policy/checked/types.ts';
import { decide } from '../../../src/rules/decide/decide.ts';
import { match } from '../../../src/rules/decide/match.ts';
import type { Rule } from '../../../src/rules/types.ts';
import { Askers, type Requester } from './callers.ts';
import { insidePaths, nonCanonicalPaths, outsidePaths } from './paths.ts';
import type { Cell, Connects, Credential, Flaw, Part } from './types.ts';

/** A method that stands for all methods that no rule names. */
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'PURGE'];

/** The highest number of other values of a kind that are tried. */
const OTHERS = 3;

/** No service of a policy has this name. */
const NO_SERVICE = 'no-service';

const FLAWS: readonly (readonly [Flaw, Part])[] = [
  ['garbage', 'credential'],
  ['unsigned', 'signature'],
  ['unknown key', 'signature'],
  ['altered', 'signature'],
  ['issuer', 'issuer'],
  ['audience', 'audience'],
  ['expired', 'expiry'],
];

/** A host name that the policy's host matches. */
export const hostNamed = (host: string): string => host.replace(/^\*/, 'any');

/** A request that passes, and the changes of another one. */
type Change = Partial<Omit<Cell, 'name' | 'rule' | 'part' | 'credential'>> & {
  /** null: without one. */
  readonly credential?: Credential | null;
};

class Derivation {
  readonly #policy: Policy;
  readonly #rules: readonly Rule[];
  readonly #rule: Rule;
  readonly #askers: Askers;
  readonly #service: Service;
  readonly cells: Cell[] = [];

  constructor(policy: Policy, rules: readonly Rule[], rule: Rule) {
    this.#policy = policy;
    this.#rules = rules;
    this.#rule = rule;
    this.#askers = new Askers(policy);
    this.#service = policy.services[rule.service] as Service;
  }

  /** All cells of the rule; none if the rules before it leave it no request. */
  derive(): readonly Cell[] {
    const named = this.#rule.methods ?? METHODS.filter((it) => it !== 'HEAD');
    const passing = (method: string) => this.#askers.passing(this.#rule, this.#rules, method);
    const method = named.find((it) => passing(it).length > 0);
    if (method === undefined) return [];
    const [requester, other] = passing(method) as readonly [Requester, Requester?];
    this.#addAll(requester, method, named);
    for (const [others, how] of this.#others(requester, named)) {
      this.#addAll(
        others,
        how,
        named,
        others?.alone ? 'for itself' : `for ${others?.roles.join(' and ') || 'anybody'}`,
      );
    }
    if (other !== undefined && other?.agent === undefined) {
      this.#add(this.cells[0] as Cell, undefined, 'passes for others', { credential: this.#credential(other) });
    }
    return this.cells;
  }

  /** All cells that are derived from one that passes. */
  #addAll(requester: Requester, method: string, methods: readonly string[], name?: string): void {
    const [path = '/', ...paths] = insidePaths(this.#rule.path);
    const base = this.#base(requester, method, path, name);
    this.#add(base, undefined, 'passes', {});
    for (const it of paths) this.#add(base, undefined, `passes at ${it}`, { path: it });
    this.#addMethods(base, methods);
    this.#add(base, undefined, 'passes with a query', { path: `${path}?to=/a;b//c` });
    this.#addPort(base);
    this.#addWrong(base);
  }

  /** With each method: it passes, or the person behind an agent may not use it. */
  #addMethods(base: Cell, methods: readonly string[]): void {
    for (const method of methods.filter((it) => it !== base.method)) {
      const requester = base.credential ?? null;
      const decision = decide(this.#rules, requester, { route: this.#rule.route, method });
      const passes = decision.allow && decision.rule.id === this.#rule.id;
      this.#add(base, passes ? undefined : 'method', passes ? `passes with ${method}` : method, { method });
    }
  }

  /** The other persons that an agent may act for: in a mesh its rule is one for each rule of theirs. */
  #others(requester: Requester, methods: readonly string[]): readonly (readonly [Requester, string])[] {
    if (this.#rule.who.kind !== 'agent') return [];
    const found = new Map<string, readonly [Requester, string]>([[JSON.stringify(requester), [requester, '']]]);
    for (const method of methods) {
      for (const other of this.#askers.passing(this.#rule, this.#rules, method)) {
        const text = JSON.stringify(other);
        if (!found.has(text)) found.set(text, [other, method]);
      }
    }
    return [...found.values()].slice(1);
  }

  #credential(requester: Requester): Credential | null {
    const { service, as } = this.#rule;
    return requester && { ...requester, service, ...(as !== '' && { as }) };
  }

  /** @param name the rule's id, or the other person that it is for */
  #base(requester: Requester, method: string, path: string, name = this.#rule.id): Cell {
    const { id, host, service, as } = this.#rule;
    const { authority } = this.#service;
    const credential = this.#credential(requester);
    const where = { host: hostNamed(host), authority, service, method, path };
    return {
      name,
      rule: id,
      ...where,
      ...(credential && { credential }),
      connects: { kind: 'right', identity: as },
    };
  }

  #add(base: Cell, part: Part | undefined, how: string, change: Change): void {
    const { credential = null, ...cell } = { ...base, ...change };
    // If several pass, the name of the request that is wrong in a part.
    const whose = base.credential?.agent === undefined || base.name === this.#rule.id ? '' : `, ${base.name}`;
    const name = `${this.#rule.id}: ${part === undefined ? '' : `${part}: `}${how}${whose}`;
    this.cells.push({ ...cell, name, ...(part && { part }), ...(credential && { credential }) });
  }

  /** A Host header may name the port. */
  #addPort(base: Cell): void {
    const { authority } = base;
    const bare = authority.replace(/:\d+$/, '');
    const port = this.#policy.mesh?.ingress.own?.listen ?? this.#policy.mesh?.ingress.port ?? 443;
    const change = { host: `${base.host}:8443`, authority: bare === authority ? `${authority}:${port}` : bare };
    this.#add(base, undefined, 'passes with another port in Host', change);
    const { service, as } = this.#rule;
    const flawed = { credential: { roles: [], service, as, flaw: 'garbage' } } as const;
    this.#add(base, 'credential', 'garbage, with another port in Host', { ...change, ...flawed });
  }

  #addWrong(base: Cell): void {
    this.#addRequest(base);
    this.#addCaller(base);
    this.#addConnection(base);
  }

  #addRequest(base: Cell): void {
    const { methods, path } = this.#rule;
    if (methods !== undefined) {
      for (const method of METHODS.filter((it) => !methods.includes(it))) this.#add(base, 'method', method, { method });
    }
    for (const it of outsidePaths(path)) {
      this.#add(base, 'path', it, { path: it });
      // Requests that another rule allows there, but not with every method.
      const other = () => this.#passes(base, it, base.method) && methods?.find((one) => !this.#passes(base, it, one));
      const method = methods === undefined ? 'PURGE' : other();
      if (method) this.#add(base, 'path', `${it} with ${method}`, { path: it, method });
    }
    for (const it of nonCanonicalPaths(base.path)) this.#add(base, 'path', it, { path: it });
    for (const [host, authority] of this.#otherHosts()) this.#add(base, 'host', authority, { host, authority });
    for (const { authority, name } of this.#otherServices()) {
      const { credential } = base;
      const change = credential && { credential: { ...credential, service: name } };
      this.#add(base, 'host', `${authority}, asserted`, { host: `${base.host}.test`, authority, ...change });
    }
  }

  /** Whether any rule allows a caller at another path of the host. */
  #passes({ host, credential }: Cell, path: string, method: string): boolean {
    const matched = match(this.#policy.hosts, host, path);
    return 'route' in matched && decide(this.#rules, credential ?? null, { route: matched.route.name, method }).allow;
  }

  #otherServices(): readonly Service[] {
    const { name } = this.#service;
    const services = Object.values(this.#policy.services).filter((it) => it.name !== name && it.direct === undefined);
    return services.slice(0, OTHERS);
  }

  /** Of others: host and authority. */
  #otherHosts(): readonly (readonly [string, string])[] {
    const { host } = this.#rule;
    const { authority } = this.#service;
    const own = hostNamed(host);
    const hosts = this.#policy.hosts.map((it) => hostNamed(it.name)).filter((it) => it !== own);
    const others = this.#otherServices().map((it, i) => [hosts[i] ?? `x${own}`, it.authority] as const);
    const dot = authority.replace('.', 'x');
    const near = [`x${authority}`, `${authority}.test`, authority.toUpperCase(), ...(dot === authority ? [] : [dot])];
    return [...others, ...near.map((it) => [`${own}.test`, it] as const)];
  }

  #addCaller(base: Cell): void {
    const { credential } = base;
    if (credential === undefined) {
      const flawed = { roles: [], service: this.#rule.service, as: this.#rule.as };
      for (const flaw of ['garbage', 'expired'] as const)
        this.#add(base, 'credential', flaw, { credential: { ...flawed, flaw } });
      for (const agent of this.#askers.otherAgents(this.#rule)) {
        if (agent !== undefined) this.#add(base, 'agent', agent, { credential: { ...flawed, agent } });
      }
      this.#add(base, 'audience', 'of no service', {
        credential: { ...flawed, service: NO_SERVICE, flaw: 'audience' },
      });
      return;
    }
    const { agent: _, alone, ...person } = credential;
    for (const roles of alone ? [] : this.#askers.others(this.#rule)) {
      this.#add(base, 'role', roles.join(' and ') || 'none', { credential: { ...credential, roles } });
    }
    for (const agent of this.#askers.otherAgents(this.#rule, alone)) {
      const changed = agent === undefined ? person : { ...person, agent, ...(alone && { alone }) };
      this.#add(base, 'agent', agent ?? 'none', { credential: changed });
    }
    // The same as for a caller without a role.
    if (alone) this.#add(base, 'agent', 'not alone', { credential: { ...person, agent: credential.agent as string } });
    this.#add(base, 'credential', 'none', { credential: null });
    for (const [flaw, part] of FLAWS) {
      const service = flaw === 'audience' ? this.#otherService() : credential.service;
      this.#add(base, part, flaw, { credential: { ...credential, service, flaw } });
    }
    for (const as of this.#otherIdentities()) this.#add(base, 'as', as, { credential: { ...credential, as } });
    const { as: __, ...without } = credential;
    if (credential.as !== undefined) this.#add(base, 'as', 'none', { credential: without });
  }

  #otherService(): string {
    const { service } = this.#rule;
    return Object.keys(this.#policy.services).find((it) => it !== service) ?? `${service}-other`;
  }

  #otherIdentities(): readonly string[] {
    const names = Object.keys(this.#policy.mesh?.identities ?? {});
    return [...names.filter((it) => it !== this.#rule.as).slice(0, OTHERS), `${this.#rule.as}x`];
  }

  #addConnection(base: Cell): void {
    const identity = this.#rule.as;
    const own = this.#policy.mesh?.identities[identity]?.spiffe;
    if (own === undefined || this.#service.direct !== undefined) return;
    const wrong = (how: string, connects: Connects) => this.#add(base, 'certificate', how, { connects });
    for (const other of [identity, ...this.#otherIdentities().slice(0, -1)]) {
      wrong(`of ${other}`, { kind: 'identity', identity: other });
    }
    const domain = own.replace(/^spiffe:\/\/[^/]+/, 'spiffe://other.test');
    const { trustDomain, ingress } = this.#policy.mesh!;
    const { namespace, serviceAccount } = ingress;
    if (serviceAccount !== undefined) {
      const spiffe = `spiffe://${trustDomain}/ns/${namespace}/sa/${serviceAccount}x`;
      wrong(spiffe, { kind: 'spiffe', spiffe });
    }
    for (const spiffe of [`${own}x`, own.slice(0, -1), own.slice(0, own.lastIndexOf('/')), domain]) {
      wrong(spiffe, { kind: 'spiffe', spiffe });
    }
    wrong('of another CA', { kind: 'other CA', identity });
    wrong('none', { kind: 'no certificate' });
    wrong('no TLS', { kind: 'plain' });
  }
}

/**
 * Requests derived from the rules: for each rule some that pass by it, and for each part of it some in which only that
 * part is wrong. Another rule may allow one of these: `decide` gives the expected result of a cell.
 */
export function cellsOf(policy: Policy, rules: readonly Rule[]): readonly Cell[] {
  return rules.flatMap((rule) => new Derivation(policy, rules, rule).derive());
}

/** Rules without a cell, because the ones before them leave them no request. */
export function unasked(rules: readonly Rule[], cells: readonly Cell[]): readonly string[] {
  const requested = new Set(cells.map((cell) => cell.rule));
  return rules.filter(({ id }) => !requested.has(id)).map(({ id }) => id);
}
