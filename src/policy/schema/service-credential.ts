import * as z from 'zod';
import { hints } from '../forms/hints.ts';
import { mapping, optional } from '../forms/mapping.ts';
import * as s from '../forms/scalars.ts';

const scheme = s
  .text(/^[A-Za-z][A-Za-z0-9._-]{0,31}$/, {
    what: 'the name of an authentication scheme',
    write: 'the first word of the Authorization header, as in basic or oauth',
    // A scheme is one word. What follows it is a credential.
    secret: (text) => /^\s*\S+\s+(\S.*)$/.exec(text)?.[1],
  })
  .transform((name) => name.toLowerCase());

const MOST = 16;

/** A text that is too long for the beginning of a token may be a whole one. */
const wholeToken = (text: string): string | undefined => (text.length > MOST ? text : undefined);

/** With a shorter prefix, too many tokens of providers would begin with it by chance. A longer one could be a whole
 * token, which is a secret. */
const prefix = s.text(/^[A-Za-z0-9._~+/-]{4,16}$/, {
  what: 'the beginning of a token',
  write: '4 to 16 characters of a token, as in glsa_; or bearer: opaque, for tokens that all begin differently',
  secret: wholeToken,
});

/** The forms of `Authorization` that belong to the service of a route. */
export const serviceCredential = mapping({
  schemes: optional(
    'request',
    s.list(scheme, '[basic]', 'scheme'),
    'Schemes of Authorization that belong to the service, compared without case.',
  ),
  bearer: optional(
    'request',
    z
      .union([z.literal('opaque'), s.list(prefix, '[glsa_]')])
      .register(hints, { what: 'opaque or a list of prefixes', write: '[glsa_], or opaque' }),
    'Beginnings of the Bearer tokens that belong to the service; opaque: all Bearer tokens that are not JWTs.',
  ),
  services: optional(
    'request',
    s.list(s.reference('service'), '[wiki]'),
    'The services that receive the header. Default: only the service of the route.',
  ),
})
  .register(hints, { what: 'a mapping', write: '{ schemes: [basic] }, or { bearer: [glsa_] }' })
  .describe('The Authorization headers that belong to the service: they pass on, and never identify a caller.');

type Declared = z.output<typeof serviceCredential>;

export interface ServiceCredential {
  /** In lower case. */
  readonly schemes: readonly string[];
  /** The prefixes of the Bearer tokens, or `opaque`. Absent: no Bearer tokens. */
  readonly bearer?: 'opaque' | readonly string[];
  /** The services that receive the header. */
  readonly services: readonly string[];
}

/** @param routed the service of the route */
export function passingOn({ schemes = [], services, ...rest }: Declared, routed: string): ServiceCredential {
  return { schemes, ...rest, services: services ?? [routed] };
}

/** An `Authorization` header of a policy test: `Basic`, or `Bearer glsa_`. A test never contains a whole token. */
export const sampleCredential = s.text(/^[A-Za-z][A-Za-z0-9._-]{0,31}(?: [A-Za-z0-9._~+/-]{1,16})?$/, {
  what: 'the beginning of an Authorization header',
  write: 'the scheme, and for a token its beginning, as in Basic or Bearer glsa_; never a whole token',
  secret: wholeToken,
});
