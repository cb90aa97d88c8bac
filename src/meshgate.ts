/** The entry of meshgate.js: the functions that the rendered nginx.conf calls. */

import { checkHandler } from './njs/check.ts';
import { gatewayOf } from './njs/gateway.ts';
import { whoamiHandler } from './njs/whoami.ts';
import table from './policy.js';

const gateway = gatewayOf(table);
const check = checkHandler(gateway);

/** Who a caller is; only a policy with sessions is rendered with a location for it. */
const whoami = whoamiHandler(gateway);

/** `js_periodic`: keeps the providers' keys fresh. */
const keys = (): Promise<void> => gateway.keys.refresh();

/** The public keys of the signed assertion; only a policy that has one is rendered with a location for it. */
const jwks = (r: NginxHTTPRequest): Promise<void> | undefined => gateway.signer?.jwks(r);

export default { check, whoami, keys, jwks };
