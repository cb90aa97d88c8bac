import type { Host, Policy, Service } from '../../policy/checked/types.ts';
import type { Rule } from '../../rules/types.ts';
import type { CheckInput } from '../ext-authz/ingress/kit.ts';
import { UNFRAMED } from '../ext-authz/ingress/nginx.ts';
import { extAuthFiles, type SidecarOptions } from '../ext-authz/render-sidecar.ts';
import { gapIf } from '../kit/gaps.ts';
import { marksOf } from '../kit/kubernetes-objects.ts';
import { ownerOf } from '../kit/owner.ts';
import { IMAGE_DIR, nginxOptions } from '../nginx/options.ts';
import { allHosts } from '../nginx/render-context.ts';
import type { Gap } from '../types.ts';
import type { FormOutput } from './types.ts';

/* The forms in which the controller asks a sidecar and sends the requests to the services itself. */

/** The Service of the sidecar, in the namespace of the hosts. */
interface SidecarService {
  readonly name: string;
  readonly port: number;
}

/** A Service of Kubernetes that receives requests. */
interface Backend {
  readonly name: string;
  readonly port: number;
  readonly tls: boolean;
}

/** A path at which the controller chooses a backend. */
export interface BackendPath {
  /** Without a slash at the end if it is a prefix: the prefix of all paths is empty. */
  readonly path: string;
  readonly kind: 'exact' | 'prefix';
  readonly backend: Backend;
}

export interface ExtAuthInput {
  readonly policy: Policy;
  readonly checkInput: CheckInput;
  readonly sidecar: SidecarService;
  readonly owner: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly hosts: readonly { readonly name: string; readonly paths: readonly BackendPath[] }[];
  readonly gateway: string | undefined;
}

/** Whether a prefix needs an exact path of its own beside the prefix with a slash, because no route names this path. */
export const ownPath = (paths: readonly BackendPath[], { path, kind }: BackendPath): boolean =>
  kind === 'prefix' && path !== '' && !paths.some((other) => other.kind === 'exact' && other.path === path);

/** A way to let a controller ask the sidecar. */
export interface ExtAuthForm {
  write(input: ExtAuthInput): FormOutput;
}

/** The name of a Service in the cluster, and its namespace if it is there. */
const IN_CLUSTER = /^([a-z0-9-]+)(?:\.([a-z0-9-]+)\.svc(?:\..*)?)?$/;

const hostOf = ({ direct, authority }: Service): string => direct?.host ?? authority.replace(/:\d+$/, '');

const namespaceOf = (service: Service): string => IN_CLUSTER.exec(hostOf(service))?.[2] ?? '';

function backendOf(service: Service): Backend {
  const { port, tls } = service.direct ?? { port: Number(/:(\d+)$/.exec(service.authority)?.[1] ?? 80), tls: false };
  return { name: IN_CLUSTER.exec(hostOf(service))?.[1] ?? service.name, port, tls };
}

/** The paths of a host at which the controller chooses another backend. */
function pathsOf(
  host: Host | undefined,
  services: Policy['services'],
  sidecar: SidecarService,
): readonly BackendPath[] {
  const routes = host?.routes ?? [];
  const first = routes.find(({ kind, path }) => kind === 'prefix' && path === '') ?? routes[0];
  const of = (name: string) => backendOf(services[name] as Service);
  // Without a route, the sidecar denies every request, and has the endpoints of the gateway.
  const root = first === undefined ? { ...sidecar, tls: false } : of(first.service);
  const others = new Set(routes.map(({ service }) => service)).size > 1 ? routes : [];
  return [
    { path: '', kind: 'prefix', backend: root },
    ...others
      .filter(({ kind, path }) => kind === 'exact' || path !== '')
      .map(({ path, kind, service }) => ({ path, kind, backend: of(service) })),
  ];
}

function backendGaps({ hosts, services }: Policy): readonly Gap[] {
  const used = [...new Set(hosts.flatMap((host) => host.routes.map(({ service }) => service)))];
  const unknown = used.filter((name) => !IN_CLUSTER.test(hostOf(services[name] as Service)));
  const several = hosts.filter(
    ({ routes }) => new Set(routes.map(({ service }) => namespaceOf(services[service] as Service))).size > 1,
  );
  return [
    ...unknown.map((name) => ({
      part: `services.${name}`,
      text: `the policy names no Service of Kubernetes, so hosts.yaml has the name ${name}: write the name and the port of the Service`,
    })),
    ...several.map(({ name }) => ({
      part: `hosts.${name}`,
      text: 'the services are in several namespaces, and the controller finds a Service only in the namespace of its object: give the other services a Service of the type ExternalName there, or use another form',
    })),
  ];
}

/** The gaps of all controllers that ask. */
function commonGaps({ gateway }: Policy): readonly Gap[] {
  return [
    ...gapIf(
      !gateway.insecureHttp,
      'gateway.tls',
      'the controller asks over plain HTTP, so it gets no answer: set gateway.insecure_http, and let only the controller reach the port of the sidecar',
    ),
    { part: 'ingress', text: UNFRAMED },
    {
      part: 'ingress',
      text: 'if the sidecar accepts a check and does not answer, the request waits for 60 seconds before it is rejected',
    },
  ];
}

/** Renders a form for a policy. */
export function writeExtAuth(
  form: ExtAuthForm,
  policy: Policy,
  rules: readonly Rule[],
  options: { readonly sidecar?: SidecarService | undefined; readonly gateway?: string | undefined },
): FormOutput {
  const sidecar = options.sidecar ?? { name: 'meshgate', port: policy.gateway.listen };
  const given: SidecarOptions = {
    ...nginxOptions({ dir: IMAGE_DIR, resolver: ['127.0.0.1'] }),
    sidecarAddress: { host: sidecar.name, port: sidecar.port },
  };
  const { checkInput, gaps } = extAuthFiles(policy, rules, given);
  const owner = ownerOf(policy);
  const byName = new Map(policy.hosts.map((host) => [host.name, host]));
  const hosts = allHosts(checkInput.context).map(({ host: { name } }) => ({
    name,
    paths: pathsOf(byName.get(name), policy.services, sidecar),
  }));
  const written = form.write({
    ...{ policy, checkInput, sidecar, owner, labels: marksOf(owner), hosts, gateway: options.gateway },
  });
  return {
    documents: written.documents,
    gaps: [...gaps, ...commonGaps(policy), ...backendGaps(policy), ...written.gaps],
    notes: [
      `the controller asks the Service ${sidecar.name} at port ${sidecar.port}, in the namespace of the hosts: run the image there with MESHGATE_MODE=sidecar and this policy`,
      ...written.notes,
    ],
  };
}
