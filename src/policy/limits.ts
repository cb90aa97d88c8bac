import * as z from 'zod';
import { SITE_NETWORKS } from '../limits.ts';
import { DEFAULTS, MAX_BURST } from './bounds.ts';
import { hints } from './hints.ts';
import { mapping, onlyTrue, optional, orElse, usually } from './mapping.ts';
import * as s from './scalars.ts';
import { perSecond } from './units.ts';

const limit = z
  .strictObject({
    rate: s.rate.describe('Requests that may pass in the long run.'),
    burst: optional(s.count('requests', MAX_BURST), 'Requests that may come at once. Default: the number of the rate.'),
  })
  .transform(({ rate: written, burst }) => ({
    rate: perSecond(written),
    /** The number of requests that a caller may send at once. Used ones become available again at the rate. */
    burst: burst ?? Number.parseInt(written, 10),
    written,
  }));

export type Limit = Readonly<z.output<typeof limit>>;

const write = '{ rate: 60/m, burst: 20 }';

const fix = (value: unknown) =>
  typeof value === 'string' && s.rate.safeParse(value).success ? `{ rate: ${value} }` : undefined;

/** An agent's own limit, or a default of the gateway. */
export const ownLimit = limit.register(hints, { what: 'a limit', write, fix });

/** The limit of a host or a route; it replaces the outer one. */
export const placeLimit = z
  .union([limit, z.null()])
  .register(hints, { what: 'a limit', write: `${write}, or null for none`, fix })
  .describe('The budget of each caller here; null removes the limit of the host or the gateway.');

export const gatewayLimits = mapping({
  callers: optional(ownLimit, 'For each caller, if neither route nor host has a limit.'),
  agents: optional(ownLimit, 'For each agent without a limit of its own, and each person that it acts for.'),
  anonymous: optional(
    ownLimit,
    `For each address, of IPv6 each /64 network, if the caller is anonymous; a /48 network has ${SITE_NETWORKS} times as much. Default: the limit of callers.`,
  ),
  zone: usually(
    s.bytesWithin({ least: '64k', most: '1g' }),
    `${DEFAULTS.limitsZone >> 20}m`,
    'Shared memory for the budgets of callers, and as much again for addresses.',
  ),
  insecure_pass_when_full: orElse(
    onlyTrue('If that memory is full, requests pass uncounted instead of being refused.'),
    false,
  ),
})
  .register(hints, { what: 'a mapping', write: '{ callers: { rate: 600/m } }' })
  .describe('The default budgets of callers.');

export type GatewayLimits = z.output<typeof gatewayLimits>;
