/** The steps of docs/istio.md, in a model of Istio: the new objects are applied one by one, in the order of the files or
 * the other way round, and then those that the policy no longer renders are deleted one by one. At the workloads, no
 * request passes in between that neither the old nor the new policy allows, and none is denied that both allow. */
import { describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { parsePolicy } from '../../../src/policy/index.ts';
import { compile } from '../../../src/rules/compile.ts';
import { istio } from '../../../src/targets/istio/index.ts';

interface Condition {
  readonly key: string;
  readonly values?: readonly string[];
  readonly notValues?: readonly string[];
}

interface IstioObject {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec: {
    readonly selector?: { readonly matchLabels: Readonly<Record<string, string>> };
    readonly mtls?: { readonly mode: string };
    readonly jwtRules?: readonly { readonly issuer: string; readonly audiences: readonly string[] }[];
    readonly rules?: readonly {
      readonly from: readonly { readonly source: { readonly principals: readonly string[] } }[];
      readonly to: readonly {
        readonly operation: { readonly ports?: readonly string[]; readonly paths: readonly string[] };
      }[];
      readonly when?: readonly Condition[];
    }[];
  };
}

type Objects = readonly IstioObject[];

/** A request at pods. */
interface Requested {
  readonly pods: string;
  readonly port: number;
  readonly path: string;
  /** The principal of the connection; absent: without TLS. */
  readonly peer?: string;
  /** The claims of the assertion; absent: there is none. */
  readonly claims?: Readonly<Record<string, string>>;
}

const ISSUER = 'https://wiki.example.com';
const INGRESS = 'example.org/ns/edge/sa/ingress';

const matchesPath = (pattern: string, path: string): boolean =>
  pattern.endsWith('*') ? path.startsWith(pattern.slice(0, -1)) : path === pattern;

function holds({ key, values, notValues }: Condition, claims: Requested['claims']): boolean {
  const [, name = ''] = /^request\.auth\.claims\[(\w+)\]$/.exec(key) ?? [];
  const value = claims?.[name];
  if (notValues !== undefined) return value === undefined;
  return value !== undefined && (values ?? []).includes(value);
}

const podsOf = ({ spec }: IstioObject): string | undefined => spec.selector?.matchLabels.app;

/** Whether the sidecar of pods lets a request pass. */
function passes(objects: Objects, { pods, port, path, peer, claims }: Requested): boolean {
  const here = objects.filter((it) => podsOf(it) === pods);
  const of = (kind: string) => here.filter((it) => it.kind === kind);
  if (peer === undefined && of('PeerAuthentication').some(({ spec }) => spec.mtls?.mode === 'STRICT')) return false;
  // Istio verifies an assertion with any RequestAuthentication of the pods, and answers 401 if none of them accepts it.
  const verifying = of('RequestAuthentication').flatMap(({ spec }) => spec.jwtRules ?? []);
  const isVerified = verifying.some((it) => it.issuer === claims?.iss && it.audiences.includes(claims.aud ?? ''));
  if (claims !== undefined && verifying.length > 0 && !isVerified) return false;
  const policies = of('AuthorizationPolicy');
  const verified = isVerified ? claims : undefined;
  return (
    policies.length === 0 ||
    policies
      .flatMap(({ spec }) => spec.rules ?? [])
      .some(
        ({ from, to, when = [] }) =>
          from.some(({ source }) => peer !== undefined && source.principals.includes(peer)) &&
          to.some(
            ({ operation: { ports, paths } }) =>
              (ports === undefined || ports.includes(String(port))) && paths.some((it) => matchesPath(it, path)),
          ) &&
          when.every((it) => holds(it, verified)),
      )
  );
}

type Name = 'a' | 'b' | 'c' | 'z';
/** Services in the order of the policy, each with the pods where it runs. */
type Services = readonly (readonly [Name, string])[];

const RULES: Readonly<Record<Name, string>> = {
  a: '{ /*: { service: a, allow: [reader] }, /x: { service: a, allow: [editor] } }',
  b: '{ /*: { service: b, allow: [editor] } }',
  c: '{ /x: { service: c, allow: [reader] } }',
  z: '{ /*: { service: z, allow: [reader] }, /y: { service: z, allow: [editor] } }',
};

function objectsIn(all: Services): Objects {
  const services = all.map(
    ([name, pods]) => `  ${name}: { authority: ${name}.apps, namespace: apps, labels: { app: ${pods} }, port: 8080 }`,
  );
  const text = `version: 1
gateway:
  tls: { cert_file: /run/tls.crt, key_file: /run/tls.key }
  assertion: { issuer: ${ISSUER}, keys_file: /run/keys.jwks }
providers: { okta: { issuer: https://login.example.com, audiences: [wiki] } }
roles: { reader: { group: readers }, editor: { group: editors } }
mesh:
  kind: istio
  trust_domain: example.org
  ingress: { address: "ingress.mesh:8443", ca_file: /ca.pem, namespace: edge, labels: { app: ingress }, service_account: ingress }
  identities: { default: { spiffe: spiffe://example.org/gateway, pem_file: /run/gateway.pem } }
services:
${services.join('\n')}
hosts:
${all.map(([name]) => `  ${name}.example.com: ${RULES[name]}`).join('\n')}
`;
  const { policy, rules } = compiled(text);
  const { files } = istio.emit(policy, rules);
  return Object.entries(files)
    .filter(([file]) => file.startsWith('workloads/'))
    .flatMap(([, documents]) => parseAllDocuments(documents).map((it) => it.toJS() as IstioObject));
}

function compiled(text: string) {
  const { policy, errors } = parsePolicy(text, 'meshgate.yaml');
  if (policy === undefined) throw new Error(errors.map(({ message }) => message).join('\n'));
  return { policy, rules: compile(policy) };
}

const idOf = ({ kind, metadata }: IstioObject): string => `${kind} ${metadata.namespace}/${metadata.name}`;

/** The objects while others are applied over them one by one, and those that are left over are then deleted. */
function* updating(before: Objects, after: Objects): Generator<Objects> {
  const state = new Map(before.map((it) => [idOf(it), it]));
  for (const it of after) yield [...state.set(idOf(it), it).values()];
  const kept = new Set(after.map(idOf));
  for (const it of before.filter((one) => !kept.has(idOf(one)))) {
    state.delete(idOf(it));
    yield [...state.values()];
  }
}

const REQUESTS: readonly Requested[] = ['web', 'other'].flatMap((pods) =>
  ['/x', '/y'].flatMap((path) =>
    [INGRESS, 'example.org/ns/apps/sa/stranger', undefined].flatMap((peer) => {
      const request = { pods, port: 8080, path, ...(peer !== undefined && { peer }) };
      const asserted = ['a', 'b', 'c', 'z'].flatMap((aud) =>
        ['reader', 'editor'].map((roles) => ({ ...request, claims: { iss: ISSUER, aud, as: 'default', roles } })),
      );
      return [request, ...asserted];
    }),
  ),
);

/** What an update does wrong, and how many requests it could do wrong. */
function mistakes(before: Objects, after: Objects) {
  const states = [...updating(before, after), ...updating(before, [...after].reverse())];
  const verdicts = REQUESTS.map((requested) => ({
    requested,
    old: passes(before, requested),
    own: passes(after, requested),
  }));
  const denied = verdicts.filter(({ old, own }) => !old && !own).map(({ requested }) => requested);
  // Pods that only one of the policies names are open under the other, so a first or last policy must deny something.
  const guarded = (pods: string) => [before, after].every((all) => all.some((it) => podsOf(it) === pods));
  const allowed = verdicts
    .filter(({ old, own, requested }) => old && own && guarded(requested.pods))
    .map(({ requested }) => requested);
  return {
    count: { denied: denied.length, allowed: allowed.length },
    wider: denied.filter((requested) => states.some((state) => passes(state, requested))),
    narrower: allowed.filter((requested) => states.some((state) => !passes(state, requested))),
  };
}

const orders = (names: readonly Name[]): readonly (readonly Name[])[] => [
  [],
  ...names.flatMap((first) => orders(names.filter((it) => it !== first)).map((rest) => [first, ...rest])),
];

/** Every subset of three services in every order at the same pods, each alone and with a fourth at other pods, and with
 * the first one moved to these pods. */
const SERVICES: readonly Services[] = orders(['a', 'b', 'c']).flatMap((names): Services[] => {
  const at = (pods: string) => (name: Name) => [name, pods] as const;
  const web = names.map(at('web'));
  const moved = names.map((name) => (name === 'a' ? at('other')(name) : at('web')(name)));
  return [
    [...web, at('other')('z')],
    [at('other')('z'), ...web],
    [...moved, at('web')('z')],
  ];
});

const rendered = SERVICES.map((services) => [services.map((it) => it.join('@')).join(), objectsIn(services)] as const);

describe('an update of Istio’s objects', () => {
  test.each(rendered)('from %s to any other services, order and pods is neither wider nor narrower', (_, before) => {
    expect(rendered).toHaveLength(48);
    let [denied, allowed] = [0, 0];
    for (const [to, after] of rendered) {
      const { wider, narrower, count } = mistakes(before, after);
      expect([to, wider, narrower]).toEqual([to, [], []]);
      denied += count.denied;
      allowed += count.allowed;
    }
    expect(denied).toBeGreaterThan(500);
    expect(allowed).toBeGreaterThan(40);
  });

  test('deletes and creates no object if only the order of services changes', () => {
    const byNames = new Map<string, Set<string>>();
    for (const [name, objects] of rendered) {
      const services = name.split(',').sort().join();
      byNames.set(services, (byNames.get(services) ?? new Set()).add(JSON.stringify(objects.map(idOf).sort())));
    }
    expect([...byNames.values()].filter(({ size }) => size !== 1)).toEqual([]);
    expect(byNames.size).toBeLessThan(rendered.length / 2);
  });
});
