import { TO_CHECK } from '../../../base/internal-headers.ts';
import type { Policy } from '../../../policy/checked/types.ts';
import { DEFAULTS } from '../../../policy/forms/bounds.ts';
import { type Budgets, budgetsOf, counts } from '../../../rules/budgets.ts';
import type { Context, HostContext } from '../render-context.ts';
import { conf, type Directive } from '../text/directive.ts';
import { callsProviders } from '../upstream/provider-call-locations.ts';
import { hasNetworks } from './networks.ts';

const some = (policy: Policy, counts: (budgets: Budgets) => boolean, { hosts }: Pick<Policy, 'hosts'> = policy) =>
  hosts.some((host) => host.routes.some((route) => counts(budgetsOf(policy, host, route))));

const byAddress = ({ anonymous }: Budgets): boolean => anonymous !== undefined;

/** Whether the policy decides by the client's address, or counts requests, introspection calls or sign-ins by it. */
export const readsAddresses = (context: Pick<Context, 'policy'>): boolean =>
  hasNetworks(context) ||
  some(context.policy, byAddress) ||
  callsProviders(context) ||
  context.policy.gateway.session !== undefined;

/** The shared memory for budgets of callers and addresses. All workers of one nginx use it; docs/budgets.md says how
 * many budgets fit. A number that was stored without a time is kept for an hour. */
export function budgetZones({ policy }: Context): readonly Directive[] {
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
export const requestOrigin = (context: Context): readonly Directive[] => (callsProviders(context) ? address : []);

/** Sends the client's address to the check of a host that counts by address, unless every host's check gets it. */
export const shownAddress = (context: Context, { host }: HostContext): readonly Directive[] =>
  some(context.policy, byAddress, { hosts: [host] }) && !callsProviders(context) ? address : [];
