import { isWildcard } from '../../base/host-name.ts';
import type { Policy } from '../../policy/checked/types.ts';
import { gapIf } from '../kit/gaps.ts';
import type { Gap } from '../types.ts';

/** The remedy for what nginx cannot notice. */
const STATUS = 'run meshgate status with the policy as a probe: it asks each host without a credential';

/** The gap of wildcards: a controller gives a host below them to the object that names it. */
const belowWildcard = (host: string): Gap => ({
  part: `hosts.${host}`,
  text: `an object for one host below this wildcard takes the requests of this host, and the gateway does not see them: let only people who may change the policy add such objects, or name these hosts in the policy`,
});

/** The gaps of all forms: what the pods of a controller do not have. */
export function commonGaps({ gateway, hosts }: Policy): readonly Gap[] {
  return [
    ...hosts.filter(({ name }) => isWildcard(name)).map(({ name }) => belowWildcard(name)),
    ...gapIf(
      gateway.inner !== undefined,
      'gateway.inner',
      'there is no inner listener in an ingress controller, so services cannot send requests for people; run the image for them',
    ),
    ...gapIf(
      gateway.session !== undefined && gateway.store === undefined,
      'gateway.session',
      'each pod of the controller has its own revocations, and loses them when it starts again: then a revoked session is valid until it ends; set gateway.store',
    ),
  ];
}

/** The gap of snippets that others may write for a host.
 * @param who what they write */
export const snippetOwners = (host: string, who: string): Gap => ({
  part: `hosts.${host}`,
  text: `${who} can add an exact path with "auth_request off" to this host: it leads to a service of their own, which then receives what browsers send to the host, with their cookies; allow snippets only to people who may change the policy`,
});

/** The gap of VirtualServers, whose snippets NIC drops without a message. */
export const droppedSnippets = (host: string): Gap => ({
  part: `hosts.${host}`,
  text: `without the flag -enable-snippets, NIC drops the snippets of a VirtualServer and says nothing; then server-snippets of values.yaml reject every request, and without these the upstream of hosts.yaml does, which has no pods; with an upstream of your own the host would be open: ${STATUS}`,
});

/** The gap of hosts that the gateway serves itself, beside an object of the host. */
export const besideIngress = (host: string): Gap => ({
  part: `hosts.${host}`,
  text: `if an Ingress or VirtualServer of this host leads to the service, nginx ignores it as long as the ConfigMap has http-snippets, and the host is open without them: delete it, or ${STATUS}`,
});

/** The gap of paths that others add to the server of a host. */
export const addedPaths = (host: string): Gap => ({
  part: `hosts.${host}`,
  text: 'if another owner adds a path that ends in a slash, nginx answers the same path without the slash with a redirect, before the check',
});
