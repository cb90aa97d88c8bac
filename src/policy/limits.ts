import * as z from 'zod';
import { DEFAULTS, MAX_BURST, SITE_NETWORKS } from '../limits.ts';
import { hints } from './hints.ts';
import * as s from './scalars.ts';

/** So many in so much time. */
export const rate = s.text(/^[1-9]\d{0,6}\/[smhd]$/, {
  what: 'a rate with its unit',
  write: '10/s, 60/m, 1000/h or 5000/d',
  fix: (value) => {
    if (/^[1-9]\d{0,6}$/.test(String(value))) return `${value}/s (or ${value}/m, ${value}/h)`;
    const words =
      /^([1-9]\d{0,6}) ?(?:r|req|requests?)? ?(?:\/|per) ?(s|sec|seconds?|m|min|minutes?|h|hours?|d|days?)$/;
    const [, count, unit] = words.exec(String(value)) ?? [];
    return count === undefined ? undefined : `${count}/${unit?.[0]}`;
  },
});

const burst = z
  .int()
  .min(1)
  .max(MAX_BURST)
  .register(hints, { what: 'a number of requests', write: `a number from 1 to ${MAX_BURST}` });

const limit = z.strictObject({
  rate: rate.describe('Requests that are let through in the long run.'),
  burst: burst.describe('Requests that may come at once. Default: the number of the rate.').optional(),
});

const write = '{ rate: 60/m, burst: 20 }';

const fix = (value: unknown) =>
  typeof value === 'string' && rate.safeParse(value).success ? `{ rate: ${value} }` : undefined;

/** An agent's own limit, or a default of the gateway's. */
export const ownLimit = limit.register(hints, { what: 'a limit', write, fix });

/** The limit of a host or a route; a route's replaces its host's, and that the gateway's. */
export const placeLimit = z
  .union([limit, z.null()])
  .register(hints, { what: 'a limit', write: `${write}, or null for none`, fix })
  .describe('How much each caller may ask for here; null takes away what is said further out.');

/** What the gateway says of limits. */
export const gatewayLimits = z
  .strictObject({
    callers: ownLimit.describe('For each caller, where neither route nor host has a limit.').optional(),
    agents: ownLimit
      .describe('For each agent without a limit of its own, and each person that it acts for.')
      .optional(),
    anonymous: ownLimit
      .describe(
        `For each address, of IPv6 each /64 network, where nobody says who asks; a /48 network has ${SITE_NETWORKS} times as much. Default: the one of callers.`,
      )
      .optional(),
    zone: s.size
      .describe('Shared memory for what callers asked for, and as much again for addresses.')
      .meta({ default: `${DEFAULTS.limitsZone >> 20}m` })
      .optional(),
    insecure_pass_when_full: z
      .literal(true)
      .register(hints, { what: 'true', write: 'true, or leave it out' })
      .describe('Where that memory is full, requests pass uncounted instead of being refused.')
      .optional(),
  })
  .register(hints, { what: 'a mapping', write: '{ callers: { rate: 600/m } }' })
  .describe('How much callers may ask for where nothing else is said.');
