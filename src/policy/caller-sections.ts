import * as z from 'zod';
import { BOUND_BY } from './facts/bound.ts';
import { keys as claimKeys } from './facts/claim.ts';
import { leafShape, type WrittenLeaf } from './facts/describe.ts';
import { hints } from './hints.ts';
import { ownLimit } from './limits.ts';
import { list } from './lists.ts';
import * as s from './scalars.ts';

/** A fact that is not the name of a role. */
export interface RawFact extends WrittenLeaf {
  any?: (string | RawFact)[] | undefined;
  all?: (string | RawFact)[] | undefined;
  none?: (string | RawFact)[] | undefined;
}

const facts = (help: string) => z.lazy(() => list(fact, '[{ group: staff }, { group: guests }]')).describe(help);

export const fact: z.ZodType<string | RawFact> = z
  .lazy(() =>
    z.union([
      s.reference('role'),
      z.strictObject({
        ...leafShape(),
        any: facts('True if one of these is.').optional(),
        all: facts('True if all of these are.').optional(),
        none: facts('True if none of these is; false where a claim is absent.').optional(),
      }),
    ]),
  )
  .register(hints, { what: 'a fact', write: '{ group: staff }, another fact, or the name of a role' })
  .meta({ id: 'fact', description: 'A fact about the caller, or the name of a role.' });

const agentMatch = z
  .strictObject({
    client_id: s.plainText
      .describe('The client that its tokens are issued to, or that they name as who acts.')
      .optional(),
    spiffe: s.spiffeId.describe('The SPIFFE id of its JWT-SVIDs, or that tokens name as who acts.').optional(),
    service: s.reference('service').describe('The service that is this agent, at the inner listener.').optional(),
    ...claimKeys(),
    claim: s.claimPath.describe('A claim path of its tokens, with is, has or like.').optional(),
    provider: s.reference('provider').describe('The provider whose tokens these are.').optional(),
  })
  .register(hints, { what: 'how an agent is known', write: '{ client_id: release-bot }, or spiffe, service or claim' })
  .describe('How the agent is known.');

export const agent = z
  .strictObject({
    match: agentMatch,
    acts_for: list(s.reference('role'), '[staff]')
      .describe('Roles that may travel from the person behind it. Default: none, it acts for nobody.')
      .optional(),
    alone: z
      .literal(true)
      .register(hints, { what: 'true', write: 'true, or leave it out' })
      .describe('It may ask for itself, without a person behind it.')
      .optional(),
    hops: s.hops.describe('Longest chain of actors for one person, this one included.').meta({ default: 1 }).optional(),
    bound: z
      .enum([...BOUND_BY, 'none'])
      .describe('What its tokens have to be bound to, so that a stolen one is of no use; none is said, not assumed.')
      .optional(),
    limit: ownLimit.describe('How much it may ask for each person that it acts for.').optional(),
  })
  .register(hints, { what: 'an agent', write: '{ match: { client_id: release-bot }, acts_for: [staff], bound: dpop }' })
  .describe('Software that acts for a person, or by itself.');
