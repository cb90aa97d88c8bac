/** The order of services in the policy changes no name of an object and no decision, and a service that comes or goes
 * changes nothing for the others. Pods are shared, where a mesh has pods. */
import { expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import type { MeshKind } from '../../../src/policy/checked/types.ts';
import { formatError, parsePolicy } from '../../../src/policy/index.ts';
import { proveIdentities } from '../../../src/rules/compare/prove.ts';
import { compile } from '../../../src/rules/compile.ts';
import { meshTarget } from '../../../src/targets/index.ts';
import { JWKS, policyText } from './members-policy.ts';

const ORDERS = [
  ['wiki', 'a', 'b'],
  ['wiki', 'b', 'a'],
  ['a', 'wiki', 'b'],
  ['b', 'a', 'wiki'],
] as const;

interface Named {
  readonly kind?: string;
  readonly metadata?: { readonly name: string };
  readonly Kind?: string;
  readonly Name?: string;
}

function rendered(kind: MeshKind, services: readonly string[]) {
  const hosts = services.map((it) => `\n  ${it}.test: { /*: { service: ${it}, allow: [staff] } }`).join('');
  const text = policyText(kind, 'staff: { group: staff }', hosts, ['a', 'b'])
    .replace(/labels: \{ app: (wiki|a|b) \}/g, 'labels: { app: shared }')
    .replace(/^services: \{ (.*) \}$/m, (_, all: string) => {
      const each = new Map(
        [...all.matchAll(/(\w+): \{ authority.*?\}(?: \}|, port: \d+ \})?(?=, \w+: \{|$)/g)].map((it) => [
          it[1],
          it[0],
        ]),
      );
      return `services:\n${services.map((name) => `  ${each.get(name)}`).join('\n')}`;
    });
  const { policy, errors } = parsePolicy(text, 'meshgate.yaml');
  if (policy === undefined) throw new Error(errors.map((it) => formatError(it)).join('\n'));
  const target = meshTarget(kind);
  const rules = compile(policy);
  const { files } = target.emit(policy, rules, target.takesJwks ? { assertionJwks: JWKS } : {});
  const objects = Object.entries(files)
    .filter(([file]) => file !== 'kustomization.yaml')
    .flatMap(([, documents]) => parseAllDocuments(documents).map((it) => it.toJS() as Named));
  return { target, policy, rules, files, objects };
}

const titleOf = ({ kind, metadata, Kind, Name }: Named): string => `${kind ?? Kind} ${metadata?.name ?? Name}`;

test.each(['istio', 'linkerd', 'consul', 'envoy'] as const)(
  '%s: in any order, the same names and decisions',
  (kind) => {
    const [first] = ORDERS.map((it) => rendered(kind, it));
    for (const order of ORDERS) {
      const { target, policy, rules, objects } = rendered(kind, order);
      expect(objects.map(titleOf).sort()).toEqual(first?.objects.map(titleOf).sort());
      expect(proveIdentities(target.project(policy, rules), target.read(first!.files))).toBeUndefined();
    }
  },
);

test.each(['istio', 'linkerd', 'consul'] as const)(
  '%s: a service more or less changes no object of another',
  (kind) => {
    const [all, fewer] = [rendered(kind, ['wiki', 'a', 'b']).objects, rendered(kind, ['b', 'wiki']).objects];
    const there = new Map(all.map((it) => [titleOf(it), it]));
    const changed = fewer.filter((it) => JSON.stringify(there.get(titleOf(it))) !== JSON.stringify(it)).map(titleOf);
    // What verifies assertions accepts one audience less; the ingress has one host less.
    const shared: Record<string, readonly RegExp[]> = {
      istio: [/^Gateway meshgate-ingress$/, /^RequestAuthentication meshgate-(ingress|pods\.shared\.[0-9a-f]{16})$/],
      linkerd: [],
      consul: [/^jwt-provider meshgate$/],
    };
    expect(changed.filter((it) => !shared[kind]?.some((pattern) => pattern.test(it)))).toEqual([]);
    expect(fewer.map(titleOf).filter((it) => !there.has(it))).toEqual([]);
    expect(changed).toHaveLength({ istio: 3, linkerd: 0, consul: 1 }[kind]);
  },
);
