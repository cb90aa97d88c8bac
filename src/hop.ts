/** What the rendered location of the inner listener's check calls. A bundle of its own: no other check carries it along. */

import { hopHandler } from './njs/hop.ts';
import { Signer } from './njs/signer.ts';
import table from './policy.js';

const { assertion, hop } = table;
// Only a policy that has both is rendered with such a location.
if (assertion === undefined || hop === undefined) throw new Error('the policy has no agents');

/** `js_content` of the check. */
const check = hopHandler(table, hop, new Signer(assertion));

export default { check };
