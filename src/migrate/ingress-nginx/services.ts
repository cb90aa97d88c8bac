import type { Findings } from '../findings.ts';
import { comment, type Draft, freeName, type Mapping } from '../new-policy.ts';
import { isAuthority, isServerName } from '../text-forms.ts';
import type { Ingress, IngressPath, KnownService } from './read.ts';
import type { Annotations } from './settings.ts';

const NAMED_PORTS: Readonly<Record<string, number>> = { http: 80, https: 443 };

interface Backend {
  readonly host: string;
  readonly port: number;
  readonly isKnown: boolean;
}

function backendOf(path: IngressPath, { namespace }: Ingress, services: ReadonlyMap<string, KnownService>): Backend {
  const known = services.get(`${namespace}/${path.service}`);
  const host = known?.externalName ?? `${path.service}.${namespace}.svc.cluster.local`;
  const number = /^\d+$/.test(path.port) ? Number(path.port) : known?.ports.get(path.port);
  const port = number ?? NAMED_PORTS[path.port] ?? 80;
  const isFit = isAuthority(host) && port >= 1 && port <= 65_535;
  return { host: isFit ? host : 'fill-in.invalid', port: isFit ? port : 80, isKnown: isFit && number !== undefined };
}

/** Whether a certificate can have this name: it is no IP address. */
const isName = (host: string): boolean => isServerName(host) && !/^[\d.]+$/.test(host);

/** Adds the service behind a path, and returns its name. */
export function addService(
  path: IngressPath,
  ingress: Ingress,
  annotations: Annotations,
  services: ReadonlyMap<string, KnownService>,
  draft: Draft,
  findings: Findings,
): string {
  const { host: address, port, isKnown } = backendOf(path, ingress, services);
  const protocol = annotations.text('backend-protocol')?.toUpperCase() ?? 'HTTP';
  const isTls = protocol === 'HTTPS' || protocol === 'GRPCS';
  const label = annotations.label('backend-protocol');
  const name = annotations.text('proxy-ssl-name');
  const wanted = annotations.text('upstream-vhost');
  const authority = isAuthority(wanted) ? { authority: wanted } : {};
  if (wanted !== undefined && !isAuthority(wanted)) {
    findings.lose(annotations.label('upstream-vhost'), 'the service receives the host that people open');
  }
  const origin = `${address}:${port}`;
  const tls: Mapping = {
    url: `https://${origin}`,
    ...(annotations.has('proxy-ssl-secret') && { ca_file: `/run/services/${freeName(path.service, {})}/ca.pem` }),
    ...(isServerName(name) ? { server_name: name } : isName(address) ? {} : { server_name: 'fill-in.invalid' }),
  };
  const keys: Mapping = {
    ...(isTls ? tls : { insecure_url: `http://${origin}` }),
    ...authority,
    ...(protocol.startsWith('GRPC') && { protocol: 'grpc' }),
  };
  const same = Object.entries(draft.services).find(([, it]) => JSON.stringify(it) === JSON.stringify(keys))?.[0];
  if (same !== undefined) return same;
  const free = freeName(path.service, draft.services);
  draft.services[free] = keys;
  const place = `services.${free}`;
  if (!isKnown) {
    findings.ask(
      `${ingress.namespace}/${ingress.name} ${path.path}`,
      `write the port of the service into ${place}, or give the manifest of the Service too`,
    );
    comment(draft, place, 'FILL IN: the port. The Ingress names it, and the files do not have the Service.');
  }
  if (isTls) {
    findings.ask(
      label,
      `the gateway verifies the certificate of the service: write ca_file (and server_name) into ${place}`,
    );
    comment(draft, place, 'The gateway verifies this certificate: write ca_file and server_name.');
  }
  if (!['HTTP', 'HTTPS', 'GRPC', 'GRPCS'].includes(protocol)) {
    findings.lose(label, 'the gateway speaks HTTP and gRPC to services: the policy has HTTP');
  }
  return free;
}
