/** What the rendered nginx.conf calls; everything else of the gateway is reached from here. */

import { Bearers } from './njs/bearers.ts';
import { CertificateCallers } from './njs/certificate-callers.ts';
import { checkHandler } from './njs/check.ts';
import { KeyStore } from './njs/keys.ts';
import { Prover } from './njs/prove.ts';
import { Sessions } from './njs/sessions.ts';
import { Signer } from './njs/signer.ts';
import { viewsOf } from './njs/views.ts';
import { whoamiHandler } from './njs/whoami.ts';
import table from './policy.js';

const keyStore = new KeyStore(table);
const bearers = new Bearers(table, keyStore);
const sessions = table.session === undefined ? undefined : new Sessions(table, table.session);
const signer = table.assertion === undefined ? undefined : new Signer(table.assertion);
const prover = new Prover(table);
const views = viewsOf(table);
const certificates = table.certificates === true ? new CertificateCallers(table.agents) : undefined;
const check = checkHandler(table, bearers, prover, sessions, signer, views, certificates);

/** Who a caller is; only a policy with sessions is rendered with a location for it. */
const whoami = whoamiHandler(table, bearers, prover, sessions, views, certificates);

/** `js_periodic`: keeps the providers' keys fresh. */
const keys = (): Promise<void> => keyStore.refresh();

/** The public keys of the signed assertion; only a policy that has one is rendered with a location for it. */
const jwks = (r: NginxHTTPRequest): Promise<void> | undefined => signer?.jwks(r);

export default { check, whoami, keys, jwks };
