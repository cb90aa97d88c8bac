import type { KubeObject } from './objects.ts';

/** A pod for the API server, and the objects by which istiod knows it. */
export interface Pod {
  readonly name: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly serviceAccount: string;
  /** The service in front of it; default: the pod's name. */
  readonly service?: string;
  /** The service's port, and the pod's. */
  readonly ports: readonly (readonly [number, number])[];
}

const v1 = 'v1';

/** The account, and the right to read secrets of its namespace (istiod checks it before it sends a certificate). */
export function accountObjects({ namespace, serviceAccount: name }: Pod): KubeObject[] {
  const apiGroup = 'rbac.authorization.k8s.io';
  const apiVersion = `${apiGroup}/v1`;
  const role = { name: `${name}-secrets`, namespace };
  return [
    { apiVersion: v1, kind: 'ServiceAccount', metadata: { name, namespace } },
    {
      apiVersion,
      kind: 'Role',
      metadata: role,
      rules: [{ apiGroups: [''], resources: ['secrets'], verbs: ['get', 'list', 'watch'] }],
    },
    {
      apiVersion,
      kind: 'RoleBinding',
      metadata: role,
      roleRef: { apiGroup, kind: 'Role', name: role.name },
      subjects: [{ kind: 'ServiceAccount', name, namespace }],
    },
  ];
}

/** The service, its endpoint and the pod. Without all three istiod gives an Envoy no listeners. */
export function podObjects(pod: Pod, ip: string): KubeObject[] {
  const { name, namespace, labels } = pod;
  const service = pod.service ?? name;
  const ports = pod.ports.map(([port, targetPort]) => ({ name: `http-${port}`, port, targetPort, protocol: 'TCP' }));
  return [
    {
      apiVersion: v1,
      kind: 'Service',
      metadata: { name: service, namespace },
      spec: { selector: labels, ports: ports.map((port) => ({ ...port, appProtocol: 'http' })) },
    },
    slice(
      service,
      namespace,
      [{ addresses: [ip], conditions: { ready: true }, targetRef: { kind: 'Pod', name, namespace }, nodeName: 'lab' }],
      ports.map(({ name, targetPort, protocol }) => ({ name, port: targetPort, protocol })),
    ),
    podObject(pod),
  ];
}

/** A service at an address without a pod: only an ingress routes to it. The mesh does not protect it. */
export function plainService(where: {
  readonly name: string;
  readonly namespace: string;
  /** The service's port, and the one that the address listens on. */
  readonly port: number;
  readonly targetPort: number;
  readonly ip: string;
  /** More ports of the service, which lead nowhere. */
  readonly others?: readonly number[];
}): KubeObject[] {
  const { name, namespace, port, targetPort, ip, others = [] } = where;
  const named = { name: `http-${port}`, port, protocol: 'TCP' };
  const nowhere = others.map((other) => ({ name: `http-${other}`, port: other, protocol: 'TCP' }));
  const spec = { ports: [{ ...named, targetPort }, ...nowhere] };
  return [
    { apiVersion: v1, kind: 'Service', metadata: { name, namespace }, spec },
    slice(name, namespace, [{ addresses: [ip], conditions: { ready: true } }], [{ ...named, port: targetPort }]),
  ];
}

function slice(service: string, namespace: string, endpoints: unknown[], ports: unknown[]): KubeObject {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: `${service}-1`, namespace, labels: { 'kubernetes.io/service-name': service } },
    addressType: 'IPv4',
    endpoints,
    ports,
  };
}

/** The label is what Istio's injection sets: its clients then call it by mutual TLS. */
function podObject({ name, namespace, labels, serviceAccount }: Pod): KubeObject {
  return {
    apiVersion: v1,
    kind: 'Pod',
    metadata: { name, namespace, labels: { ...labels, 'security.istio.io/tlsMode': 'istio' } },
    spec: { serviceAccountName: serviceAccount, nodeName: 'lab', containers: [{ name: 'envoy', image: 'envoy' }] },
  };
}

/** The status that a kubelet would set. */
export function podStatus(pod: Pod, ip: string): KubeObject {
  return {
    apiVersion: v1,
    kind: 'Pod',
    metadata: { name: pod.name, namespace: pod.namespace },
    status: {
      phase: 'Running',
      podIP: ip,
      podIPs: [{ ip }],
      conditions: [{ type: 'Ready', status: 'True' }],
    },
  };
}
