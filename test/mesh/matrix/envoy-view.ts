import { isCanonical } from '../../../src/base/raw-path.ts';
import { verifies } from '../../../src/targets/envoy/assertion.ts';
import { authoritiesOf } from '../../../src/targets/envoy/domains.ts';
import { spiffeIds } from '../../../src/targets/envoy/rbac.ts';
import type { View } from './expect.ts';
import type { Subject } from './policies.ts';

/** Removes dot segments, as RFC 3986 section 5.2.4 says, and merges slashes. */
function normalized(path: string): string {
  const out: string[] = [];
  for (const segment of path.split('/').slice(1)) {
    if (/^(\.|%2e)$/i.test(segment)) continue;
    if (/^(\.|%2e){2}$/i.test(segment)) out.pop();
    else out.push(segment);
  }
  return `/${out.join('/')}`.replace(/\/{2,}/g, '/');
}

/** Letters, digits, `-`, `.`, `_` and `~`, percent-encoded: Envoy decodes these. */
const UNRESERVED = /%(2[DE]|3[0-9]|4[1-9A-F]|5[0-9AF]|6[1-9A-F]|7[0-9AE])/gi;

/** A path without its query after Envoy's normalization: backslashes, dot segments, codes of plain characters. */
export function madePlain(path: string): string {
  const slashed = path.replaceAll('\\', '/');
  return normalized(slashed.replace(UNRESERVED, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16))));
}

/** How Envoy reads a path: after its normalization it refuses paths that the rendered rules call not canonical. */
export function envoyPath(raw: string): ReturnType<View['path']> {
  const [path = ''] = raw.split('?');
  if (/%2f|%5c|%00|#/i.test(path)) return { refused: 'refused: path' };
  const plain = madePlain(path);
  return isCanonical(plain) ? { path: plain } : { refused: 'refused: rules' };
}

/** What a plain Envoy as the ingress sees of requests. */
export function envoyView({ policy, rules }: Subject): View {
  const assertion = verifies(policy) !== undefined;
  const authorities = authoritiesOf(policy, rules);
  const connecting = spiffeIds(policy, rules);
  return {
    policy,
    rules,
    layer: 'ingress',
    assertion,
    as: assertion,
    authorities: (name) => authorities.find(({ service }) => service.name === name)?.domains ?? [],
    path: envoyPath,
    flawed: () => 'refused: credential',
    connects: (spiffe) => connecting.includes(spiffe),
  };
}
