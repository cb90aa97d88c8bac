import { isCanonical } from '../../../src/base/raw-path.ts';
import { spiffeIds } from '../../../src/targets/envoy/rbac.ts';
import { nameOf } from '../../../src/targets/istio/services.ts';
import { encodableOf, nonCanonicalPatterns } from '../../../src/targets/kit/non-canonical-paths.ts';
import { madePlain } from './envoy-view.ts';
import { expectedOf, queriedService, type View } from './expect.ts';
import type { Subject } from './policies.ts';
import type { Answer, Cell } from './types.ts';

/** How Istio's Envoys read a path, with the documented mesh config: they decode slashes too, and merge them. */
export function istioPath(raw: string): ReturnType<View['path']> {
  const [path = ''] = raw.split('?');
  if (/%00|#/.test(path)) return { refused: 'refused: path' };
  return { path: madePlain(path.replace(/%2f/gi, '/').replace(/%5c/gi, '\\')) };
}

/** What one of Istio's layers sees of requests. */
export function istioView({ policy, rules }: Subject, layer: View['layer']): View {
  const { mesh } = policy;
  if (mesh === undefined) throw new Error('the policy has no mesh');
  const { trustDomain, ingress } = mesh;
  const connecting = spiffeIds(policy, rules);
  const assertion = policy.gateway.assertion !== undefined;
  return {
    policy,
    rules,
    layer,
    assertion,
    as: assertion,
    // With any port, and Envoy takes any text for one.
    authorities:
      layer === 'workload'
        ? () => 'any'
        : (name) => (authority) =>
            nameOf({ authority: authority.replace(/:.*$/, '') }) === nameOf(policy.services[name]!),
    path: istioPath,
    flawed: () => 'refused: credential',
    connects:
      layer === 'workload'
        ? (spiffe) => spiffe.startsWith(`spiffe://${trustDomain}/`)
        : (spiffe) => connecting.includes(spiffe),
    ingress: `spiffe://${trustDomain}/ns/${ingress.namespace}/sa/${ingress.serviceAccount}`,
  };
}

/** Audiences that the ingress accepts: those of all services. */
function isKnownAudience({ policy, rules }: View, service: string): boolean {
  return rules.some((rule) => rule.service === service) && policy.services[service]?.direct === undefined;
}

/** The ingress reads an assertion for any of its services; the rules of another service ignore it. */
function seenBy(view: View, cell: Cell): Cell {
  const { credential, ...rest } = cell;
  if (view.layer === 'workload' || credential === undefined) return cell;
  const other = credential.service !== queriedService(cell, view) && isKnownAudience(view, credential.service);
  return other && [undefined, 'audience'].includes(credential.flaw) ? rest : cell;
}

/** The expected answer of one of Istio's layers: the ingress refuses paths that are not canonical and that its rules
 * allow. */
export function expectedAt(cell: Cell, view: View): Answer {
  const answer = expectedOf(seenBy(view, cell), view);
  const read = view.path(cell.path);
  if (answer !== 'allowed' || view.layer === 'workload' || 'refused' in read) return answer;
  const odd = nonCanonicalPatterns(encodableOf(view.rules)).some((pattern) =>
    new RegExp(`^(?:${pattern})$`).test(read.path),
  );
  return odd || !isCanonical(read.path) ? 'refused: path' : answer;
}
