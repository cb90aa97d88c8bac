import { hostFile } from '../nginx/text/names.ts';
import type { FormInput } from './types.ts';

/** The text of a snippet for the server of a host. */
export const serverSnippet = ({ options: { dir } }: FormInput, host: string): string =>
  `include ${dir}/${hostFile(host)};`;

/** The text of a snippet for the http level. */
export const httpSnippet = ({ options: { dir } }: FormInput): string => `include ${dir}/http.conf;`;

/** The text of a snippet for all locations of the controller in the server of a host. No request reaches them. */
export const CLOSED_SNIPPET = 'return 503;';

/** The name of a host in the names of objects, different for each host. No label of a host begins or ends with a dash, so
 * no host has three dashes in its name here. */
export const hostLabel = (host: string): string =>
  host.replaceAll('-', '--').replace(/^\*\./, 'wildcard---').replaceAll('.', '-');

/** The name of the Secret with the certificate of a host. */
export const tlsSecret = (host: string): string => `${hostLabel(host)}-tls`;

/** The backend of the rendered objects: a Service without pods. The gateway connects to the services of the policy
 * itself, so this backend receives requests only if the gateway is missing. Then the controller answers 502 or 503. */
export const closedService = ({ labels }: FormInput, name: string) => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, labels },
  spec: { ports: [{ name: 'http', port: 80, targetPort: 80 }] },
});
