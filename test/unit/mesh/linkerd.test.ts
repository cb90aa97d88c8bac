/** Linkerd's documented rules on the rendered objects allow the same requests as the rules of the policy. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Policy } from '../../../src/policy/checked/types.ts';
import { cells } from '../../../src/rules/compare/cells.ts';
import { compile } from '../../../src/rules/compile.ts';
import type { Rule } from '../../../src/rules/types.ts';
import { linkerdProjection } from '../../../src/targets/linkerd/index.ts';
import { workloadsOf } from '../../../src/targets/linkerd/workloads.ts';
import { holds } from '../../harness/property.ts';
import { clusterWith, podOf, renderedObjects } from '../../mesh/linkerd/ask.ts';
import { verdictOf } from '../../mesh/linkerd/evaluate.ts';
import { linkerdPolicy } from '../targets/linkerd/samples.ts';

const STRANGERS = [
  'other.edge.serviceaccount.identity.linkerd.example.org',
  'spiffe://example.org/ns/edge/sa/other',
  undefined,
];

/** Requests that Linkerd decides differently from the rules, as far as it sees them. */
function disagreements(policy: Policy): readonly string[] {
  const rules = compile(policy);
  const projected = linkerdProjection(policy, rules);
  const cluster = clusterWith(renderedObjects(policy, rules));
  const authorities = workloadsOf(policy, rules).flatMap((workload) => workload.authorities);
  const clients = [...new Set(projected.map(({ as }) => as)), ...STRANGERS];
  return [...cells(projected, [])].flatMap(({ host, path, method, left }) => {
    const service = authorities.find((it) => it.host === host.host)?.service.name ?? '';
    const pod = podOf(policy, service);
    return clients.flatMap((client) => {
      const right = left.some((rule: Rule) => rule.as === client);
      const requested = { pod, authority: `${host.host}:8443`, path: `${path.path}?q=/x`, method: method.method };
      const reported = verdictOf(cluster, { ...requested, ...(client !== undefined && { client }) });
      return (reported === 'allowed') === right
        ? []
        : [`${client} ${method.method} ${host.host}${path.path}: ${reported}`];
    });
  });
}

test('on any policy', () => {
  const property = fc.property(linkerdPolicy(false), (policy) => {
    expect(disagreements(policy)).toEqual([]);
  });
  holds(property, 75);
});
