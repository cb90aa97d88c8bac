/** What the rendered nginx.conf calls; everything else of the gateway is reached from here. */

import { checkHandler } from './njs/check.ts';
import { KeyStore } from './njs/keys.ts';
import { Signer } from './njs/signer.ts';
import table from './policy.js';

const keyStore = new KeyStore(table);
const signer = table.assertion === undefined ? undefined : new Signer(table.assertion);
const check = checkHandler(table, keyStore, signer);

/** `js_periodic`: keeps the providers' keys fresh. */
const keys = (): Promise<void> => keyStore.refresh();

/** The public keys of the signed assertion; only a policy that has one is rendered with a location for it. */
const jwks = (r: NginxHTTPRequest): Promise<void> | undefined => signer?.jwks(r);

export default { check, keys, jwks };
