import { decodeJwt } from 'jose';
import type { Policy } from '../../../src/policy/types.ts';
import { decide } from '../../../src/rules/decide.ts';
import { match } from '../../../src/rules/match.ts';
import type { Rule } from '../../../src/rules/types.ts';
import type { Gateway, Issuer } from '../../harness/index.ts';
import type { Subject } from './policies.ts';
import { type Reply, Road } from './road.ts';
import { Tokens } from './tokens.ts';
import type { Answer, Cell, Side } from './types.ts';

const REFUSED: Readonly<Record<number, Answer>> = {
  400: 'refused: path',
  401: 'refused: credential',
  403: 'refused: rules',
  404: 'refused: rules',
  421: 'refused: rules',
};

/** The rule by which the gateway must let a request pass, or what it must answer. */
function decided(cell: Cell, { policy, rules }: Subject): Rule | Answer {
  const matched = match(policy.hosts, cell.host, cell.path);
  if ('reason' in matched) {
    return matched.reason === 'host_unknown' || matched.reason === 'route_unknown' ? 'refused: rules' : 'refused: path';
  }
  if (cell.credential?.flaw !== undefined) return 'refused: credential';
  const decision = decide(rules, cell.credential ?? null, { route: matched.route.name, method: cell.method });
  return decision.allow ? decision.rule : 'refused: rules';
}

/** Nobody is asked for a credential: of the rules, not of what it presented. */
const isMissing = ({ body }: Reply): boolean => body.includes('credential_missing');

/** Parts of a request that its client does not choose: the gateway does. */
const ITS_OWN = new Set(['as', 'certificate']);

/** A gateway, real nginx, in front of the ingress. */
export class GatewaySide implements Side {
  readonly name = 'gateway';
  readonly #subject: Subject;
  readonly #tokens: Tokens;
  readonly #road: Road;

  constructor(subject: Subject, gateway: Gateway, issuer: Issuer) {
    const { host, port, tls } = gateway.target('');
    this.#subject = subject;
    this.#tokens = new Tokens(subject.policy, issuer);
    this.#road = new Road({ host, port, tls, name: '', ca: '' });
  }

  get policy(): Policy {
    return this.#subject.policy;
  }

  expected(cell: Cell): Answer | undefined {
    if (cell.part !== undefined && ITS_OWN.has(cell.part)) return undefined;
    // Agents come by the inner listener.
    if (cell.credential?.agent !== undefined) return undefined;
    const verdict = decided(cell, this.#subject);
    return typeof verdict === 'string' ? verdict : 'allowed';
  }

  async ask(cell: Cell): Promise<Answer> {
    const { method, path, host, credential } = cell;
    const token = credential && (await this.#tokens.of(credential));
    if (credential !== undefined && token === undefined) return 'not askable';
    const headers = { Host: host, ...(token !== undefined && { Authorization: `Bearer ${token}` }) };
    const reply = await this.#road.ask('plain', { method, path, headers });
    if (reply === 'no connection') return 'refused: connection';
    if (reply === 'no answer') return 'wrong: no answer';
    if (reply.answered !== undefined) return this.#saw(cell, reply);
    if (reply.status === 401 && (isMissing(reply) || credential === undefined)) return 'refused: rules';
    return REFUSED[reply.status] ?? `wrong: ${reply.status} ${reply.body.slice(0, 80)}`;
  }

  /** Whether the request went where the rule says, as the identity that it says, with the assertion that it says. */
  #saw(cell: Cell, { answered, seen }: Reply): Answer {
    const rule = decided(cell, this.#subject);
    if (typeof rule === 'string') return 'allowed';
    if (answered !== rule.service) return `wrong: ${answered} answered`;
    const spiffe = this.policy.mesh?.identities[rule.as]?.spiffe;
    const [cert = ''] = seen['x-forwarded-client-cert'] ?? [];
    if (spiffe !== undefined && !cert.includes(`URI=${spiffe}`)) return `wrong: it travelled as ${cert}`;
    const [assertion] = seen['x-meshgate-assertion'] ?? [];
    if (assertion === undefined) return cell.credential === undefined ? 'allowed' : 'wrong: no assertion';
    const { aud, as = '', roles } = decodeJwt(assertion);
    const said = JSON.stringify([aud, as, roles]);
    return said === JSON.stringify([rule.service, rule.as, cell.credential?.roles])
      ? 'allowed'
      : `wrong: the assertion says ${said}`;
  }
}
