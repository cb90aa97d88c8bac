import { decodeJwt } from 'jose';
import { identityOf } from '../../../src/policy/checked/ingresses.ts';
import type { Policy } from '../../../src/policy/checked/types.ts';
import { decide, travelling } from '../../../src/rules/decide/decide.ts';
import { match } from '../../../src/rules/decide/match.ts';
import type { Rule } from '../../../src/rules/types.ts';
import type { Gateway, Issuer } from '../../harness/index.ts';
import type { Assertions } from './assertions.ts';
import { Connection, type NoReply, type Place, type Reply } from './connection.ts';
import type { Identities } from './identities.ts';
import type { Subject } from './policies.ts';
import { Tokens } from './tokens.ts';
import type { Answer, Cell, Credential, Side } from './types.ts';

const REFUSED: Readonly<Record<number, Answer>> = {
  400: 'refused: path',
  401: 'refused: credential',
  403: 'refused: rules',
  404: 'refused: rules',
  421: 'refused: rules',
};

/** The rule by which the gateway must allow a request, or the expected answer. */
function decided(cell: Cell, { policy, rules }: Subject): Rule | Answer {
  const matched = match(policy.hosts, cell.host, cell.path);
  if ('reason' in matched) {
    return matched.reason === 'host_unknown' || matched.reason === 'route_unknown' ? 'refused: rules' : 'refused: path';
  }
  if (cell.credential?.flaw !== undefined) return 'refused: credential';
  const decision = decide(rules, cell.credential ?? null, { route: matched.route.name, method: cell.method });
  return decision.allow ? decision.rule : 'refused: rules';
}

/** No credential was requested: the rules refused, not the credential. */
const isMissing = ({ body }: Reply): boolean => body.includes('credential_missing');

/** Parts of a request that its client does not choose, because the gateway does. */
const ITS_OWN = new Set(['as', 'certificate']);

/** The credentials with which services call the gateway: the assertion that they received, and their own
 * certificate. */
export interface Hop {
  readonly assertions: Assertions;
  readonly identities: Identities;
  /** See {@link Assertions.of}. */
  readonly expiredFor: number;
}

/** The roles of an assertion of the gateway. */
function travellingOf({ roles, agent }: Credential, { agents }: Policy): readonly string[] {
  const own = agent === undefined ? undefined : agents[agent];
  return own === undefined ? roles : travelling({ roles }, own.actsFor).roles;
}

/** A gateway, real nginx, in front of the ingress. */
export class GatewaySide implements Side {
  readonly name = 'gateway';
  readonly #subject: Subject;
  readonly #tokens: Tokens;
  readonly #connection: Connection;
  readonly #hop: Hop;
  /** At the inner listener, by the requested host. */
  readonly #inner = new Map<string, Connection>();
  readonly #place: (host: string) => Place;

  constructor(subject: Subject, gateway: Gateway, issuer: Issuer, hop: Hop) {
    const { host, port, tls } = gateway.target('');
    this.#subject = subject;
    this.#tokens = new Tokens(subject.policy, issuer);
    this.#connection = new Connection({ host, port, tls, name: '', ca: '' });
    this.#hop = hop;
    this.#place = (name) => ({ ca: '', ...gateway.inner(name), tls: true });
  }

  get policy(): Policy {
    return this.#subject.policy;
  }

  expected(cell: Cell): Answer | undefined {
    if (cell.part !== undefined && ITS_OWN.has(cell.part)) return undefined;
    // For agents, the TLS connection has the same name: another host has none.
    if (cell.credential?.agent !== undefined && cell.part === 'host') return undefined;
    const verdict = decided(cell, this.#subject);
    return typeof verdict === 'string' ? verdict : 'allowed';
  }

  async ask(cell: Cell): Promise<Answer> {
    const agent = cell.credential?.agent;
    const inside = agent !== undefined && this.policy.agents[agent]?.match.kind !== 'client';
    const reply = await (inside ? this.#askInside(cell) : this.#askOutside(cell));
    if (reply === 'not askable') return reply;
    if (reply === 'no connection') return 'refused: connection';
    if (reply.answered !== undefined) return this.#saw(cell, reply);
    if (reply.status === 401 && (isMissing(reply) || cell.credential === undefined)) return 'refused: rules';
    return REFUSED[reply.status] ?? `wrong: ${reply.status} ${reply.body.slice(0, 80)}`;
  }

  /** A person, or an agent, with a token. */
  async #askOutside({ method, path, host, credential }: Cell): Promise<Reply | NoReply | 'not askable'> {
    const token = credential && (await this.#tokens.of(credential));
    if (credential !== undefined && token === undefined) return 'not askable';
    const headers = { Host: host, ...(token !== undefined && { Authorization: `Bearer ${token}` }) };
    return this.#connection.ask('plain', { method, path, headers });
  }

  /** A service for a person, with the assertion that it received for that person's own request. */
  async #askInside({ method, path, host, credential }: Cell): Promise<Reply | NoReply | 'not askable'> {
    const { roles = [], agent = '', flaw } = credential ?? {};
    const { agents, services, gateway } = this.policy;
    const match = agents[agent]?.match;
    const service = match?.kind === 'service' ? match.service : undefined;
    const spiffe = services[service ?? '']?.spiffe;
    if (service === undefined || spiffe === undefined || gateway.assertion === undefined) return 'not askable';
    const audience = flaw === 'audience' ? Object.keys(services).find((it) => it !== service) : service;
    const received: Credential = { roles, service: audience ?? '', ...(flaw && { flaw }) };
    const assertion = await this.#hop.assertions.of(gateway.assertion, received, this.#hop.expiredFor);
    const client = await this.#hop.identities.of({ kind: 'spiffe', spiffe });
    return this.#roadTo(host).ask(client, { method, path, headers: { Host: host, 'X-Meshgate-Assertion': assertion } });
  }

  #roadTo(host: string): Connection {
    const name = host.replace(/:\d+$/, '');
    const connection = this.#inner.get(name) ?? new Connection(this.#place(name));
    this.#inner.set(name, connection);
    return connection;
  }

  /** Whether the request reached the service of the rule, with the identity of the rule and the right assertion. */
  #saw(cell: Cell, { answered, seen }: Reply): Answer {
    const rule = decided(cell, this.#subject);
    if (typeof rule === 'string') return 'allowed';
    if (answered !== rule.service) return `wrong: ${answered} answered`;
    const spiffe = identityOf(this.policy, rule)?.spiffe;
    const [cert = ''] = seen['x-forwarded-client-cert'] ?? [];
    if (spiffe !== undefined && !cert.includes(`URI=${spiffe}`)) return `wrong: it travelled as ${cert}`;
    const [assertion] = seen['x-meshgate-assertion'] ?? [];
    if (assertion === undefined) return cell.credential === undefined ? 'allowed' : 'wrong: no assertion';
    const { aud, as = '', roles, agent, alone } = decodeJwt(assertion);
    const reported = JSON.stringify([aud, as, roles, agent, alone === 'true']);
    const { credential = { roles: [], service: '' } } = cell;
    const travelled = travellingOf(credential, this.policy);
    const right = [rule.service, rule.as, travelled, credential.agent, credential.alone === true];
    return reported === JSON.stringify(right) ? 'allowed' : `wrong: the assertion says ${reported}`;
  }
}
