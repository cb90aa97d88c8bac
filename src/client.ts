/** What the rendered locations call that ask providers about tokens. A bundle of its own: no check carries it along. */

import clientTable from './client-policy.js';
import { introspectHandler } from './njs/client/introspect.ts';

/** `/.meshgate/introspect`: has a provider say what it knows of a token. */
const introspect = introspectHandler(clientTable);

export default { introspect };
