import { TO_CHECK } from '../../internal-headers.ts';
import { DEFAULTS } from '../../policy/bounds.ts';
import type { Policy } from '../../policy/types.ts';
import { type Budgets, budgetsOf, counts } from '../../rules/budgets.ts';
import { commented, type Directive, line, variable } from './directive.ts';
import { hasNetworks } from './networks.ts';
import { hasQuestions } from './questions.ts';
import type { Scene, SceneHost } from './scene.ts';

/** Longest time that nginx keeps a number that was stored without a time. */
const TIMEOUT = 'timeout=1h';

const some = (policy: Policy, counts: (budgets: Budgets) => boolean, { hosts }: Pick<Policy, 'hosts'> = policy) =>
  hosts.some((host) => host.routes.some((route) => counts(budgetsOf(policy, host, route))));

const byAddress = ({ anonymous }: Budgets): boolean => anonymous !== undefined;

/** Whether the policy uses the client's address to decide, or to count requests, questions about tokens, or
 * sign-ins. */
export const readsAddresses = (scene: Pick<Scene, 'policy'>): boolean =>
  hasNetworks(scene) ||
  some(scene.policy, byAddress) ||
  hasQuestions(scene) ||
  scene.policy.gateway.session !== undefined;

/** The budgets of callers and addresses, shared by the workers of one nginx; docs/budgets.md says how much fits. */
export function budgetZones({ policy }: Scene): readonly Directive[] {
  if (!some(policy, counts)) return [];
  const size = `${(policy.gateway.limits?.zone ?? DEFAULTS.limitsZone) >> 10}k`;
  const zone = (name: string) => line('js_shared_dict_zone', `zone=meshgate_${name}:${size}`, 'type=number', TIMEOUT);
  return [commented('Counts of requests by caller and by address.', zone('budgets')), zone('addresses')];
}

const address = line('proxy_set_header', TO_CHECK.address, variable('remote_addr'));

/** The client's address for questions to providers about tokens, which are counted by it. */
export const askedFrom = (scene: Scene): readonly Directive[] => (hasQuestions(scene) ? [address] : []);

/** The client's address for the check of a host that counts requests by it, unless every host sends it anyway. */
export const shownAddress = (scene: Scene, { host }: SceneHost): readonly Directive[] =>
  some(scene.policy, byAddress, { hosts: [host] }) && !hasQuestions(scene) ? [address] : [];
