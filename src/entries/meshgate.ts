/** The entry of meshgate.js: the functions that the rendered nginx.conf calls. */

import { checkHandler } from '../njs/check/check.ts';
import { gatewayOf } from '../njs/check/gateway.ts';
import { whoamiHandler } from '../njs/check/whoami.ts';
import { countSlow } from '../njs/shared/counts.ts';
import table from './policy.js';

const gateway = gatewayOf(table);

export default {
  check: checkHandler(gateway),
  /** `js_set`: counts a check that took long. */
  slow: countSlow,
  /** Tells callers who they are. It has a location only if the policy has sessions. */
  whoami: whoamiHandler(gateway),
  /** `js_periodic`: fetches the providers' keys when they are due. */
  keys: (): Promise<void> => gateway.keys.refresh(),
  /** The public keys of the signed assertion. It has a location only if the policy has assertions. */
  jwks: (r: NginxHTTPRequest): Promise<void> | undefined => gateway.signer?.jwks(r),
};
