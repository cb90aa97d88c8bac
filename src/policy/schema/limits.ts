import * as z from 'zod';
import { SITE_NETWORKS } from '../../base/limits.ts';
import { DEFAULTS, MAX_BURST } from '../forms/bounds.ts';
import { hints } from '../forms/hints.ts';
import { key, mapping, onlyTrue, optional, orElse, strict, usually } from '../forms/mapping.ts';
import * as s from '../forms/scalars.ts';
import { perSecond } from '../forms/units.ts';

const limit = strict({
  rate: key('request', s.rate.describe('The rate at which requests may pass in the long run.')),
  burst: optional(
    'request',
    s.count('requests', MAX_BURST),
    'Requests that may come at once. Default: the number of the rate.',
  ),
}).transform(({ rate: written, burst }) => ({
  rate: perSecond(written),
  /** The number of requests that a caller may send at once. They become available again at the rate. */
  burst: burst ?? Number.parseInt(written, 10),
  written,
}));

export type Limit = Readonly<z.output<typeof limit>>;

const write = '{ rate: 60/m, burst: 20 }';

const fix = (value: unknown) =>
  typeof value === 'string' && s.rate.safeParse(value).success ? `{ rate: ${value} }` : undefined;

/** An agent's own limit, or a default of the gateway. */
export const ownLimit = limit.register(hints, { what: 'a limit', write, fix });

/** The limit of a host or a route. The limit of a route replaces that of its host, and both replace the gateway's. */
export const placeLimit = z
  .union([limit, z.null()])
  .register(hints, { what: 'a limit', write: `${write}, or null for none`, fix })
  .describe('The budget of each caller at this host or route; null removes the limit of the host or the gateway.');

export const gatewayLimits = mapping(
  {
    callers: optional('request', ownLimit, 'The budget of each caller, if neither the route nor the host has a limit.'),
    agents: optional(
      'request',
      ownLimit,
      'The budget of each agent without its own limit, for each person that it acts for.',
    ),
    anonymous: optional(
      'request',
      ownLimit,
      `The budget of anonymous callers with one address, or in one /64 network of IPv6; a /48 network has ${SITE_NETWORKS} times as much. Default: callers.`,
    ),
    zone: usually(
      'request',
      s.bytesWithin({ least: '64k', most: '1g' }),
      `${DEFAULTS.limitsZone >> 20}m`,
      'The size of the shared memory for callers’ budgets; addresses have another one of this size.',
    ),
    insecure_pass_when_full: orElse(
      'request',
      onlyTrue('If the memory of zone is full, requests pass uncounted; without this key, the gateway refuses them.'),
      false,
    ),
  },
  { notEmpty: 'nothing in it; write { callers: { rate: 600/m } }, or remove it' },
)
  .register(hints, { what: 'a mapping', write: '{ callers: { rate: 600/m } }' })
  .describe('The default budgets of callers.');

export type GatewayLimits = z.output<typeof gatewayLimits>;
