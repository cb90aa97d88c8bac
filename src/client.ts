/** The entry of client.js: the JavaScript that asks providers about tokens. It is a separate bundle, so that checks do
 * not load it. */

import clientTable from './client-policy.js';
import { groupsHandler } from './njs/client/groups.ts';
import { introspectHandler } from './njs/client/introspect.ts';

/** `/.meshgate/introspect`: asks a provider about a token. */
const introspect = introspectHandler(clientTable);

/** `/.meshgate/groups`: asks a provider which of the policy's groups a person is in. */
const groups = groupsHandler(clientTable);

export default { introspect, groups };
