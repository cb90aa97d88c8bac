import { TO_CHECK } from '../../internal-headers.ts';
import { DEFAULTS } from '../../limits.ts';
import type { Policy } from '../../policy/types.ts';
import { type Budgets, budgetsOf, counts } from '../../rules/budgets.ts';
import { commented, type Directive, line, variable } from './directive.ts';
import { hasNetworks } from './networks.ts';
import { hasQuestions } from './questions.ts';
import type { Scene, SceneHost } from './scene.ts';

/** Longest time that nginx keeps a number of which nobody says for how long. */
const TIMEOUT = 'timeout=1h';

const some = (policy: Policy, counts: (budgets: Budgets) => boolean, { hosts }: Pick<Policy, 'hosts'> = policy) =>
  hosts.some((host) => host.routes.some((route) => counts(budgetsOf(policy, host, route))));

const byAddress = ({ anonymous }: Budgets): boolean => anonymous !== undefined;

/** Whether the policy decides by the client's address, or counts requests, questions about tokens or sign-ins by it. */
export const readsAddresses = (scene: Pick<Scene, 'policy'>): boolean =>
  hasNetworks(scene) ||
  some(scene.policy, byAddress) ||
  hasQuestions(scene) ||
  scene.policy.gateway.session !== undefined;

/** What callers and addresses asked for, shared by the workers of one nginx: docs/budgets.md says how much fits. */
export function budgetZones({ policy }: Scene): readonly Directive[] {
  if (!some(policy, counts)) return [];
  const size = `${(policy.gateway.limits?.zone ?? DEFAULTS.limitsZone) >> 10}k`;
  const zone = (name: string) => line('js_shared_dict_zone', `zone=meshgate_${name}:${size}`, 'type=number', TIMEOUT);
  return [commented('What callers have asked for, and addresses.', zone('budgets')), zone('addresses')];
}

const address = line('proxy_set_header', TO_CHECK.address, variable('remote_addr'));

/** For whatever asks providers about tokens: it counts questions by the client's address. */
export const askedFrom = (scene: Scene): readonly Directive[] => (hasQuestions(scene) ? [address] : []);

/** For the check of a host that counts requests by the client's address, unless the check of every host is told it. */
export const shownAddress = (scene: Scene, { host }: SceneHost): readonly Directive[] =>
  some(scene.policy, byAddress, { hosts: [host] }) && !hasQuestions(scene) ? [address] : [];
