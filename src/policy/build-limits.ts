import { DEFAULTS } from '../limits.ts';
import type { ROUTES } from './path.ts';
import type { Raw } from './schema.ts';
import type { GatewayLimits, Limit } from './types.ts';
import { bytes, perSecond } from './units.ts';

type RawGateway = NonNullable<Raw['gateway']>;
type RawHost = Raw['hosts'][string];
type RawPlace = RawHost | RawHost[typeof ROUTES][string];
type RawLimit = NonNullable<RawPlace['limit']>;

function buildLimit({ rate, burst }: RawLimit): Limit {
  return { rate: perSecond(rate), burst: burst ?? Number.parseInt(rate, 10), written: rate };
}

/** The limit of a host or a route; `null` removes the one of the gateway or the host. */
export function buildPlaceLimit({ limit }: RawPlace): { readonly limit?: Limit | null } {
  return limit === undefined ? {} : { limit: limit === null ? null : buildLimit(limit) };
}

/** The limit of an agent. */
export function buildOwnLimit(limit: RawLimit | undefined): { readonly limit?: Limit } {
  return limit === undefined ? {} : { limit: buildLimit(limit) };
}

/** The gateway's limits and the settings for all limits. */
export function buildGatewayLimits({ limits }: RawGateway): { readonly limits?: GatewayLimits } {
  if (limits === undefined) return {};
  const { callers, agents, anonymous, zone, insecure_pass_when_full } = limits;
  return {
    limits: {
      ...(callers && { callers: buildLimit(callers) }),
      ...(agents && { agents: buildLimit(agents) }),
      ...(anonymous && { anonymous: buildLimit(anonymous) }),
      zone: zone === undefined ? DEFAULTS.limitsZone : bytes(zone),
      passWhenFull: insecure_pass_when_full ?? false,
    },
  };
}
