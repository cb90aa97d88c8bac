/** The entry of client.js: the JavaScript that asks providers about tokens. Checks do not load this bundle. */

import { groupsHandler } from '../njs/client/groups.ts';
import { introspectHandler } from '../njs/client/introspect.ts';
import clientTable from './client-policy.js';

export default {
  /** `/.meshgate/introspect`: asks a provider about a token. */
  introspect: introspectHandler(clientTable),
  /** `/.meshgate/groups`: asks a provider which of the policy's groups a person is in. */
  groups: groupsHandler(clientTable),
};
