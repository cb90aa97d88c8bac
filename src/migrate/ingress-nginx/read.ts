import { isMapping, listOf, objectsIn, type Plain, readDocuments, textOf } from '../read-yaml.ts';

/** A path of an Ingress, with the service behind it. */
export interface IngressPath {
  readonly host: string;
  /** Empty: the Ingress has the host, and no paths for it. */
  readonly path: string;
  readonly type: string;
  /** Empty: the backend is no Service, so ingress-nginx has no location for the path. */
  readonly service: string;
  /** The port: a number, or the name that the Service gives it. */
  readonly port: string;
}

export interface Ingress {
  readonly name: string;
  readonly namespace: string;
  readonly className: string;
  readonly annotations: readonly (readonly [name: string, value: string])[];
  readonly paths: readonly IngressPath[];
  /** The Secrets with certificates, by host. */
  readonly tls: ReadonlyMap<string, string>;
}

/** A Service: the number of each port by its name, and its DNS name if it stands for another host. */
export interface KnownService {
  readonly ports: ReadonlyMap<string, number>;
  readonly externalName?: string;
}

export interface Manifests {
  readonly ingresses: readonly Ingress[];
  /** By namespace and name. */
  readonly services: ReadonlyMap<string, KnownService>;
  /** The ConfigMap of the controller. */
  readonly controller: ReadonlyMap<string, string>;
  readonly unreadable: readonly string[];
}

const metadataOf = (object: Plain): Plain => (isMapping(object.metadata) ? object.metadata : {});

const namespaceOf = (object: Plain): string => textOf(metadataOf(object).namespace) ?? 'default';

/** Reads the backend of a path, in the form of networking.k8s.io/v1 or of v1beta1. */
function backendOf(value: unknown): { readonly service: string; readonly port: string } {
  const backend = isMapping(value) ? value : {};
  if (!isMapping(backend.service)) {
    return { service: textOf(backend.serviceName) ?? '', port: textOf(backend.servicePort) ?? '' };
  }
  const port = isMapping(backend.service.port) ? backend.service.port : {};
  return { service: textOf(backend.service.name) ?? '', port: textOf(port.number) ?? textOf(port.name) ?? '' };
}

function pathsOf(spec: Plain): readonly IngressPath[] {
  const ofRules = listOf(spec.rules)
    .filter(isMapping)
    .flatMap((rule) => {
      const host = textOf(rule.host)?.toLowerCase() ?? '';
      const paths = isMapping(rule.http) ? listOf(rule.http.paths).filter(isMapping) : [];
      if (paths.length === 0) return [{ host, path: '', type: 'Prefix', service: '', port: '' }];
      return paths.map((it) => ({
        host,
        path: textOf(it.path) || '/',
        type: textOf(it.pathType) ?? 'ImplementationSpecific',
        ...backendOf(it.backend),
      }));
    });
  const entire = spec.defaultBackend ?? spec.backend;
  if (!isMapping(entire)) return ofRules;
  return [...ofRules, { host: '', path: '/', type: 'Prefix', ...backendOf(entire) }];
}

function ingressOf(object: Plain): Ingress {
  const metadata = metadataOf(object);
  const spec = isMapping(object.spec) ? object.spec : {};
  const declared = isMapping(metadata.annotations) ? Object.entries(metadata.annotations) : [];
  const annotations = declared.map(([name, value]) => [name, textOf(value) ?? ''] as const);
  const old = annotations.find(([name]) => name === 'kubernetes.io/ingress.class')?.[1];
  const tls = listOf(spec.tls)
    .filter(isMapping)
    .flatMap((it) =>
      listOf(it.hosts).flatMap((host) =>
        textOf(host) === undefined ? [] : [[String(host), textOf(it.secretName) ?? ''] as const],
      ),
    );
  return {
    name: textOf(metadata.name) ?? '',
    namespace: namespaceOf(object),
    className: textOf(spec.ingressClassName) ?? old ?? '',
    annotations,
    paths: pathsOf(spec),
    tls: new Map(tls),
  };
}

function serviceOf(object: Plain): readonly [string, KnownService] {
  const spec = isMapping(object.spec) ? object.spec : {};
  const ports = listOf(spec.ports)
    .filter(isMapping)
    .flatMap((it) => (typeof it.port === 'number' ? [[textOf(it.name) ?? '', it.port] as const] : []));
  const external = textOf(spec.externalName);
  const known = { ports: new Map(ports), ...(external !== undefined && { externalName: external }) };
  return [`${namespaceOf(object)}/${textOf(metadataOf(object).name) ?? ''}`, known];
}

/** Whether a ConfigMap is that of the controller, and not one that an annotation names. */
const isController = (object: Plain): boolean =>
  object.kind === 'ConfigMap' && /ingress|nginx/i.test(`${textOf(metadataOf(object).name)} ${namespaceOf(object)}`);

/** Reads manifests: several documents, and Lists. Objects of other kinds are left out. */
export function readManifests(sources: readonly { readonly name: string; readonly text: string }[]): Manifests {
  const unreadable: string[] = [];
  const objects = sources.flatMap(({ name, text }) => {
    const documents = readDocuments(text);
    if ('line' in documents) unreadable.push(`${name}:${documents.line}: not YAML that all programs read alike`);
    const found = 'line' in documents ? [] : objectsIn(documents);
    if (found.some(({ kind }) => kind === 'Kustomization'))
      unreadable.push(`${name}: a Kustomization changes other files: give the output of "kubectl kustomize"`);
    return found;
  });
  const ingresses = objects.filter(({ kind }) => kind === 'Ingress').map(ingressOf);
  if (ingresses.length === 0 && unreadable.length === 0) unreadable.push('no Ingress in these files');
  return {
    ingresses,
    services: new Map(objects.filter(({ kind }) => kind === 'Service').map(serviceOf)),
    controller: new Map(
      objects
        .filter(isController)
        .flatMap(({ data }) => (isMapping(data) ? Object.entries(data) : []))
        .map(([key, value]) => [key, textOf(value) ?? ''] as const),
    ),
    unreadable,
  };
}
