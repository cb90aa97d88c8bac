import { stringify } from 'yaml';
import { agents, confluence, demo, hosts, KEYS_FILE, type Subject, subject, type Yaml } from './policies.ts';

/** Labels of every service's pods: services differ by their namespaces, so that one pod can stand for one after the
 * other. */
export const POD = { app: 'service' };
export const INGRESS = { istio: 'meshgate-ingress' };
/** The place of the ingress in the policies. */
export const EDGE = 'edge';
export const PORT = 8080;

/** Adapts a policy to the lab: the provider, and the places of ingress and services. */
function fitted(yaml: Yaml, issuer: string): string {
  for (const provider of Object.values<Yaml>(yaml.providers)) {
    provider.issuer = issuer;
    provider.ca_file = '/run/provider/ca.pem';
  }
  for (const [name, service] of Object.entries<Yaml>(yaml.services)) {
    yaml.services[name] = {
      ...service,
      endpoint: `${name}.${name}.svc.cluster.local:80`,
      namespace: name,
      labels: POD,
      port: PORT,
    };
  }
  yaml.mesh = {
    ...yaml.mesh,
    kind: 'istio',
    ingress: {
      address: 'ingress.mesh:8443',
      ca_file: '/run/mesh/ca.pem',
      namespace: EDGE,
      labels: INGRESS,
      service_account: 'ingress',
    },
  };
  const assertion = { issuer: 'https://gateway.test', keys_file: KEYS_FILE, lifetime: '10m' };
  const tls = { cert_file: '/run/tls/tls.crt', key_file: '/run/tls/tls.key' };
  const inner = yaml.agents && { inner: { tls, client_ca_file: '/run/mesh/services.pem' } };
  yaml.gateway = { insecure_http: true, listen: 8080, clock_skew: '30s', assertion, ...inner };
  delete yaml.tests;
  return stringify(yaml, { aliasDuplicateObjects: false });
}

/** The policies for Istio. */
export async function istioSubjects(issuer: string): Promise<readonly Subject[]> {
  return [
    subject('demo', fitted(await demo(), issuer)),
    subject('confluence', fitted(confluence(), issuer)),
    subject('agents', fitted(agents(), issuer)),
    subject('40 hosts', fitted(hosts(40), issuer)),
  ];
}
