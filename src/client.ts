/** What the rendered locations call that ask providers about tokens. A bundle of its own: no check carries it along. */

import clientTable from './client-policy.js';
import { groupsHandler } from './njs/client/groups.ts';
import { introspectHandler } from './njs/client/introspect.ts';

/** `/.meshgate/introspect`: has a provider say what it knows of a token. */
const introspect = introspectHandler(clientTable);

/** `/.meshgate/groups`: asks a provider which of the policy's groups somebody has. */
const groups = groupsHandler(clientTable);

export default { introspect, groups };
