import type { MeshKind, Policy } from '../../../src/policy/checked/types.ts';
import { compile } from '../../../src/rules/compile.ts';
import type { MeshRule } from '../../../src/rules/types.ts';
import { bootstrap } from '../../../src/targets/envoy/bootstrap.ts';
import { rulesInEnvoy as rulesOfEnvoy } from '../../../src/targets/envoy/read.ts';
import { istioObjects } from '../../../src/targets/istio/layers.ts';
import { rulesInIstio as rulesOfIstio } from '../../../src/targets/istio/read.ts';
import type { LiveObject } from '../../../src/targets/kit/kubernetes-objects.ts';
import { objectsOf } from '../../../src/targets/linkerd/assemble.ts';
import { rulesInLinkerd as rulesOfLinkerd } from '../../../src/targets/linkerd/read.ts';
import { draw } from '../../harness/property.ts';
import { policy } from '../rules/arbitrary.ts';
import { meshed } from './istio/meshed.ts';
import { workloads } from './linkerd/samples.ts';

/** A mesh as the properties of rendering and reading use it. */
export interface Mesh {
  readonly name: string;
  readonly kind: MeshKind;
  /** A random policy as one for this mesh. */
  readonly own: (policy: Policy, index: number) => Policy;
  /** Through the printed objects; YAML between them takes most of the time, and has its own test. */
  readonly roundTrip: (policy: Policy) => readonly MeshRule[];
  /** The random policies for it. */
  readonly count: number;
  /** Reading returns what `project` leaves, rule by rule; otherwise it allows the same requests. */
  readonly isLiteral: boolean;
}

/** As JSON: without undefined, and with nothing shared. */
const plain = <T>(value: unknown): T => JSON.parse(JSON.stringify(value)) as T;

/** The same policy with an assertion that Envoy verifies. */
export function asserting(policy: Policy): Policy {
  const { mesh } = policy;
  const own = { ...mesh!.ingress.own!, assertionJwksFile: '/run/own/jwks.json' };
  return {
    ...policy,
    gateway: { ...policy.gateway, assertion: { issuer: 'https://gw.test', keysFile: '/run/keys', lifetime: 60 } },
    mesh: { ...mesh!, ingress: { ...mesh!.ingress, own } },
  };
}

const throughEnvoy = (policy: Policy) =>
  rulesOfEnvoy(plain(bootstrap(policy, compile(policy), policy.mesh!.ingress.own!)));
const throughIstio = (policy: Policy) =>
  rulesOfIstio(plain<LiveObject[]>(Object.values(istioObjects(policy, compile(policy))).flat()), 'meshgate');
const throughLinkerd = (policy: Policy) => rulesOfLinkerd(plain(objectsOf(policy, compile(policy))), 'meshgate');

export const meshes: readonly Mesh[] = [
  {
    name: 'envoy by the connection alone',
    kind: 'envoy',
    own: (it) => it,
    roundTrip: throughEnvoy,
    count: 100,
    isLiteral: true,
  },
  { name: 'envoy', kind: 'envoy', own: asserting, roundTrip: throughEnvoy, count: 200, isLiteral: true },
  { name: 'istio', kind: 'istio', own: (it) => meshed(it), roundTrip: throughIstio, count: 200, isLiteral: true },
  {
    name: 'istio by the connection alone',
    kind: 'istio',
    own: (it) => meshed(it, false),
    roundTrip: throughIstio,
    count: 100,
    isLiteral: true,
  },
  {
    name: 'linkerd',
    kind: 'linkerd',
    own: (it, index) => workloads(it, false, index % 2 === 0),
    roundTrip: throughLinkerd,
    count: 100,
    isLiteral: false,
  },
];

/** As many random policies as requested, always the same. */
export const policies = (count: number): readonly Policy[] => draw(policy, count);
