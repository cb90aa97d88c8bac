import { isWithin, rangeText, readRange } from '../../../base/cidr.ts';
import { TO_CHECK } from '../../../base/internal-headers.ts';
import type { Policy } from '../../../policy/checked/types.ts';
import { requestFacts } from '../../../rules/table/table.ts';
import type { Context } from '../render-context.ts';
import { conf, type Directive, line, literal, variable } from '../text/directive.ts';

/** The networks in roles. The vector has one digit for each, in this order. */
const networksOf = (policy: Policy): readonly string[] => requestFacts(policy)?.networks ?? [];

/** Whether a role depends on the client's network. */
export const hasNetworks = ({ policy }: Pick<Context, 'policy'>): boolean => networksOf(policy).length > 0;

/** Sends the vector to the check. Empty if the policy has no networks. */
export const shownNetworks = (context: Pick<Context, 'policy' | 'options'>): readonly Directive[] =>
  hasNetworks(context)
    ? conf`proxy_set_header ${TO_CHECK.networks} ${variable(context.options.sidecar ? KNOWN : 'meshgate_networks')};`
    : [];

/** The variable with the vector of a sidecar. It is empty if the ingress did not say the address of the client: then
 * no role depends on it, in either direction. */
const KNOWN = 'meshgate_networks_known';

/** The map from the client's address to one digit for each network of the policy. Behind a trusted proxy, the address
 * is the one that the proxy names. nginx uses the longest range that contains the address. So each range also has the
 * digits of the ranges that contain it. */
export function networkVector({ policy, options }: Pick<Context, 'policy' | 'options'>): readonly Directive[] {
  const networks = networksOf(policy).map((ranges) =>
    ranges.split(' ').map((text) => {
      const range = readRange(text);
      if (range === undefined) throw new Error(`nginx: not a range: ${text}`);
      return range;
    }),
  );
  if (networks.length === 0) return [];
  const all = new Map(networks.flat().map((range) => [rangeText(range), range]));
  const digits = [...all].map(([text, { bytes, length }]) => {
    const has = networks.map((ranges) => (ranges.some((range) => isWithin(bytes, range, length)) ? '1' : '0'));
    return line(literal(text), has.join(''));
  });
  return conf`
    # Which networks of the policy the client is in.
    geo $meshgate_networks {
      default ${'0'.repeat(networks.length)};
      ${digits}
    }
    ${options.sidecar && conf`map $remote_addr ${variable(KNOWN)} { default $meshgate_networks; "unix:" ""; }`}
  `;
}
