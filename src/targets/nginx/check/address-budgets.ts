import { TO_CHECK } from '../../../base/internal-headers.ts';
import type { Policy } from '../../../policy/checked/types.ts';
import { DEFAULTS } from '../../../policy/forms/bounds.ts';
import { type Budgets, budgetsOf, counts } from '../../../rules/budgets.ts';
import type { Scene, SceneHost } from '../scene.ts';
import { conf, type Directive } from '../text/directive.ts';
import { hasQuestions } from '../upstream/questions.ts';
import { hasNetworks } from './networks.ts';

const some = (policy: Policy, counts: (budgets: Budgets) => boolean, { hosts }: Pick<Policy, 'hosts'> = policy) =>
  hosts.some((host) => host.routes.some((route) => counts(budgetsOf(policy, host, route))));

const byAddress = ({ anonymous }: Budgets): boolean => anonymous !== undefined;

/** Whether the policy decides by the client's address, or counts requests, introspection calls or sign-ins by it. */
export const readsAddresses = (scene: Pick<Scene, 'policy'>): boolean =>
  hasNetworks(scene) ||
  some(scene.policy, byAddress) ||
  hasQuestions(scene) ||
  scene.policy.gateway.session !== undefined;

/** The shared memory for budgets of callers and addresses. All workers of one nginx use it; docs/budgets.md says how
 * many budgets fit. A number that was stored without a time is kept for an hour. */
export function budgetZones({ policy }: Scene): readonly Directive[] {
  if (!some(policy, counts)) return [];
  const size = (policy.gateway.limits?.zone ?? DEFAULTS.limitsZone) >> 10;
  return conf`
    # Counts of requests by caller and by address.
    js_shared_dict_zone zone=meshgate_budgets:${size}k type=number timeout=1h;
    js_shared_dict_zone zone=meshgate_addresses:${size}k type=number timeout=1h;
  `;
}

const address = conf`proxy_set_header ${TO_CHECK.address} $remote_addr;`;

/** The client's address, with which the check counts calls to providers about tokens. */
export const askedFrom = (scene: Scene): readonly Directive[] => (hasQuestions(scene) ? address : []);

/** Sends the client's address to the check of a host that counts by address, unless every host's check gets it. */
export const shownAddress = (scene: Scene, { host }: SceneHost): readonly Directive[] =>
  some(scene.policy, byAddress, { hosts: [host] }) && !hasQuestions(scene) ? address : [];
