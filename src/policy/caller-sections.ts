import * as z from 'zod';
import type { BoundBy } from './caller-types.ts';
import { hints } from './hints.ts';
import { ownLimit } from './limits.ts';
import { list } from './lists.ts';
import { BOUND_BY } from './proof.ts';
import * as s from './scalars.ts';
import * as signin from './signin-sections.ts';

/** A fact or, as a string, the name of a role. */
export interface RawFact {
  group?: string | undefined;
  claim?: string | undefined;
  is?: string | number | boolean | undefined;
  has?: string | number | boolean | undefined;
  like?: string | undefined;
  scope?: string | undefined;
  acr?: string | undefined;
  max_age?: string | undefined;
  bound?: BoundBy | undefined;
  network?: string[] | undefined;
  certificate?: string | undefined;
  provider?: string | undefined;
  any?: (string | RawFact)[] | undefined;
  all?: (string | RawFact)[] | undefined;
  none?: (string | RawFact)[] | undefined;
}

/** Beyond these, several numbers of a token are read as one, and no fact compares them. */
const safeNumber = z.number().min(Number.MIN_SAFE_INTEGER).max(Number.MAX_SAFE_INTEGER);

const claimValue = z.union([s.plainText, safeNumber, z.boolean()]).register(hints, {
  what: `a text, true, false or a number up to ${Number.MAX_SAFE_INTEGER}`,
  write: 'the value that the claim must have, a larger number as a text if the provider sends one',
});

const claimPattern = s.plainText.describe(
  'The claim, or one of its elements, is a text like this; * stands for any characters.',
);

const facts = (help: string) => z.lazy(() => list(fact, '[{ group: staff }, { group: guests }]')).describe(help);

export const fact: z.ZodType<string | RawFact> = z
  .lazy(() =>
    z.union([
      s.reference('role'),
      z.strictObject({
        group: s.groupName.describe('The caller is in this group.').optional(),
        claim: s.claimPath.describe('A claim path, with is, has or like.').optional(),
        is: claimValue.describe('The claim, or one of its elements, equals this.').optional(),
        has: claimValue.describe('The list or space-delimited claim contains this.').optional(),
        like: claimPattern.optional(),
        scope: s.plainText.describe('The token has this scope.').optional(),
        acr: signin.acr.optional(),
        max_age: signin.maxAge.optional(),
        bound: z
          .enum(BOUND_BY)
          .describe('The token is bound to a key of the sender: dpop, certificate, or any of the two.')
          .optional(),
        network: list(s.cidr, '[10.9.0.0/24]').describe('The client’s address is in one of these ranges.').optional(),
        certificate: s.certificateName
          .describe('The client’s certificate has this name: a SPIFFE id, a DNS name, or *. and one.')
          .optional(),
        provider: s.reference('provider').describe('The provider whose token this is about.').optional(),
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
    claim: s.claimPath.describe('A claim path of its tokens, with is, has or like.').optional(),
    is: claimValue.describe('The claim, or one of its elements, equals this.').optional(),
    has: claimValue.describe('The list or space-delimited claim contains this.').optional(),
    like: claimPattern.optional(),
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
