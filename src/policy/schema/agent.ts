import * as z from 'zod';
import { MAX_HOPS } from '../../base/limits.ts';
import { BOUND_BY } from '../facts/bound.ts';
import { type ClaimFact, keys as claimKeys } from '../facts/claim.ts';
import { COMBINED } from '../facts/combined.ts';
import { buildLeaf, leafShape, type WrittenLeaf } from '../facts/describe.ts';
import type { Fact } from '../facts/index.ts';
import type { At, Defined, Locate } from '../forms/at.ts';
import { hints } from '../forms/hints.ts';
import { key, mapping, named, onlyTrue, optional, orNone, strict, teamStrict, usually } from '../forms/mapping.ts';
import { type Path, quote } from '../forms/path.ts';
import * as s from '../forms/scalars.ts';
import { spiffeId } from '../forms/workload-names.ts';
import { ownLimit } from './limits.ts';

/** A fact about a claim, as a policy writes it; it cannot name a role. */
export interface RawFact extends WrittenLeaf {
  any?: (string | RawFact)[] | undefined;
  all?: (string | RawFact)[] | undefined;
  none?: (string | RawFact)[] | undefined;
}

const facts = (help: string) => z.lazy(() => s.list(fact, '[{ group: staff }, { group: guests }]')).describe(help);

/** The facts in a list. */
const INSIDE = { decides: 'request', team: 'inside' } as const;

export const fact: z.ZodType<string | RawFact, string | RawFact> = z
  .lazy(() =>
    z.union([
      s.reference('role'),
      teamStrict({
        ...leafShape(),
        any: key(INSIDE, facts('True if one of these is true.').optional()),
        all: key(INSIDE, facts('True if all of these are true.').optional()),
        none: key(INSIDE, facts('True if none of these is true; false if a claim is absent.').optional()),
      }),
    ]),
  )
  .register(hints, { what: 'a fact', write: '{ group: staff }, another fact, or the name of a role', entire: true })
  .meta({ id: 'fact', description: 'A fact about the caller, or the name of a role.' });

export interface Role extends Defined {
  /** The team in whose file it is; absent: it is not in the file of a team. */
  readonly team?: string;
  readonly fact: Fact;
}

export function buildFact(raw: string | RawFact, path: Path, at: Locate): Fact {
  const here = at(path);
  if (typeof raw === 'string') return { op: 'role', value: raw, at: here };
  for (const op of COMBINED) {
    const inner = raw[op];
    if (inner) return { op, facts: inner.map((it, index) => buildFact(it, [...path, op, index], at)), at: here };
  }
  return { ...buildLeaf(raw), at: here };
}

const match = strict(
  {
    client_id: optional(
      'request',
      s.plainText,
      'The client to which its tokens are issued, or that they name as the actor.',
    ),
    spiffe: optional(
      'request',
      spiffeId,
      'The SPIFFE id that is in the agent’s JWT-SVIDs, or that tokens name as the actor.',
    ),
    service: optional(
      {
        decides: 'request',
        unique: (other) => `agent ${quote(other)} is this service already; keep one agent, with the roles of both`,
      },
      s.reference('service'),
      'The service that is this agent; it calls the inner listener.',
    ),
    ...claimKeys(),
    claim: optional('request', s.claimPath, 'The path of a claim in the agent’s tokens; it needs is, has or like.'),
    provider: optional(
      { decides: 'request', excludes: { service: 'no effect: an agent with service sends no token; remove it' } },
      s.reference('provider'),
      'The provider that issues the agent’s tokens.',
    ),
  },
  {
    oneOf: {
      what: 'match',
      keys: ['client_id', 'spiffe', 'service', 'claim'],
      none: 'nothing identifies the agent; write client_id, spiffe, service or claim',
    },
  },
)
  .register(hints, {
    what: 'how an agent is identified',
    write: '{ client_id: release-bot }, or spiffe, service or claim',
    entire: true,
  })
  .describe('How the agent is identified.');

export const agent = mapping({
  match: key('request', match),
  acts_for: orNone(
    'request',
    s.list(s.reference('role'), '[staff]'),
    'The agent may act for people with these roles. Default: none, so it acts for no person.',
  ),
  alone: key(
    {
      decides: 'request',
      excludes: { 'match/service': 'no effect: a service acts for the person whose request it serves; remove it' },
    },
    onlyTrue('The agent may act alone, without a person.'),
  ),
  hops: usually(
    'request',
    s.count('hops', MAX_HOPS),
    1,
    'The longest chain of actors for one person, this agent included.',
  ),
  bound: optional(
    { decides: 'request', excludes: { 'match/service': 'no effect: a service shows its certificate; remove it' } },
    z.enum([...BOUND_BY, 'none']),
    'What the agent’s tokens must be bound to, so that a stolen token is useless. There is no default; with none, the gateway accepts stolen tokens.',
  ),
  limit: optional('request', ownLimit, 'The budget that the agent has for each person that it acts for.'),
})
  .register(hints, { what: 'an agent', write: '{ match: { client_id: release-bot }, acts_for: [staff], bound: dpop }' })
  .describe('Software that acts for a person, or alone.');

type DeclaredAgent = z.output<typeof agent>;

export interface Agent extends Defined, Omit<DeclaredAgent, 'match'> {
  readonly match: AgentMatch;
}

/** What an agent's tokens must be bound to. `none` is not the default: the policy must write it. */
export type Bound = NonNullable<Agent['bound']>;

export type AgentMatch =
  /** The agent is a service: it sends requests to the inner listener and shows the certificate of this service. */
  | { readonly kind: 'service'; readonly service: string }
  /** The agent's tokens were issued to this client, or they name this client as the actor. */
  | { readonly kind: 'client'; readonly client: string; readonly provider?: string }
  /** The agent sends a JWT-SVID with this id, or tokens that name this id as the actor. */
  | { readonly kind: 'spiffe'; readonly spiffe: string; readonly provider?: string }
  | { readonly kind: 'claim'; readonly fact: ClaimFact };

function buildMatch({ client_id, spiffe, service, ...fact }: DeclaredAgent['match'], at: At): AgentMatch {
  const { provider } = fact;
  if (client_id !== undefined) return named({ kind: 'client' as const, client: client_id, provider });
  if (spiffe !== undefined) return named({ kind: 'spiffe' as const, spiffe, provider });
  if (service !== undefined) return { kind: 'service', service };
  return { kind: 'claim', fact: buildFact(fact, [], () => at) as ClaimFact };
}

export function buildAgent(name: string, { match, ...declared }: DeclaredAgent, at: At): Agent {
  return { name, match: buildMatch(match, at), ...declared, at };
}
