/** The entry of hop.js, for the check of the inner listener. It is separate, so that other checks do not load it. */

import { hopHandler } from '../njs/check/hop.ts';
import { AssertionSigner } from '../njs/keys/signer.ts';
import table from './policy.js';

const { assertion, hop } = table;
// The location is rendered only if the policy has both.
if (assertion === undefined || hop === undefined) throw new Error('the policy has no agents');

/** `js_content` of the check. */
export default { check: hopHandler(table, hop, new AssertionSigner(assertion)) };
