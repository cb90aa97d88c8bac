/** What the rendered nginx.conf calls; everything else of the gateway is reached from here. */

import { checkHandler } from './njs/check.ts';
import { KeyStore } from './njs/keys.ts';
import table from './policy.js';

const keyStore = new KeyStore(table);
const check = checkHandler(table, keyStore);

/** `js_periodic`: keeps the providers' keys fresh. */
const keys = (): Promise<void> => keyStore.refresh();

export default { check, keys };
