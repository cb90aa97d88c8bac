import { DEFAULTS } from '../../limits.ts';
import { block, commented, type Directive, line, literal, variable } from './directive.ts';
import { OFTEN_LOCATION } from './names.ts';
import { inside, refusal } from './problem.ts';
import type { Scene } from './scene.ts';
import { hasSessions } from './session.ts';

const ZONE = 'meshgate_signin';

/** Room for some 60,000 addresses; the oldest make room. */
const ZONE_SIZE = '4m';

const limitOf = ({ policy }: Scene) =>
  policy.gateway.signin?.limit ?? { rate: DEFAULTS.signinRate, burst: DEFAULTS.signinBurst };

/** What addresses asked of the sign-in. */
export function signinLimitZone(scene: Scene): readonly Directive[] {
  if (!hasSessions(scene)) return [];
  const rate = limitOf(scene).rate.replace('/', 'r/');
  const zone = line('limit_req_zone', variable('binary_remote_addr'), `zone=${ZONE}:${ZONE_SIZE}`, `rate=${rate}`);
  return [commented("What each address may ask of the sign-in's own endpoints.", zone)];
}

/** In the location of an endpoint that costs a call to a provider, a seal or an entry. */
export const signinLimit = (scene: Scene): readonly Directive[] => [
  line('limit_req', `zone=${ZONE}`, `burst=${limitOf(scene).burst}`, 'nodelay'),
  line('limit_req_status', '429'),
];

export const oftenPage: Directive = line('error_page', '429', '=', literal(OFTEN_LOCATION));

/** The answer to an address that asks too often: nginx gives it alone, since a page would cost what is to be saved. */
export const oftenLocation: Directive = block(
  'location',
  ['=', literal(OFTEN_LOCATION)],
  [...inside, line('add_header', 'Retry-After', '1', 'always'), ...refusal('limit_exceeded')],
);
