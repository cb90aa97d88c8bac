import { toYaml } from '../../../base/yaml.ts';
import { YAML_HEAD } from '../../kit/yaml.ts';
import { givenNames, responseNames } from '../check-answer.ts';
import {
  type CheckInput,
  closedNames,
  fileOf,
  GATEWAY_PATH,
  type IngressFiles,
  METADATA_PATH,
  trustedNames,
} from './kit.ts';

const exact = (names: readonly string[]) => ({
  patterns: names.map((name) => ({ exact: name.toLowerCase(), ignore_case: true })),
});

/** How long Envoy waits for the sidecar, in seconds. */
export const TIMEOUT = 15;

export const ENVOY_PATH = '/envoy';

/** What every Envoy leaves out. */
export const anyEnvoyGaps = (part: string) => [
  {
    part,
    text: 'if the sidecar itself fails, clients get 503 without a reason',
  },
];

/** The filter for an Envoy with a configuration of its own, and the cluster and the routes that it needs. */
export function envoyFiles(checkInput: CheckInput): IngressFiles {
  const { context, sidecar, read } = checkInput;
  const type = (name: string) => `type.googleapis.com/${name}`;
  const filters = [
    {
      name: 'envoy.filters.http.header_mutation',
      typed_config: {
        '@type': type('envoy.extensions.filters.http.header_mutation.v3.HeaderMutation'),
        mutations: {
          request_mutations: trustedNames(context).map((name) => ({ remove: name.toLowerCase() })),
          response_mutations: closedNames(context).map((name) => ({ remove: name.toLowerCase() })),
        },
      },
    },
    {
      name: 'envoy.filters.http.ext_authz',
      typed_config: {
        '@type': type('envoy.extensions.filters.http.ext_authz.v3.ExtAuthz'),
        failure_mode_allow: false,
        status_on_error: { code: 503 },
        allowed_headers: exact(read),
        http_service: {
          server_uri: { uri: `http://${sidecar.host}:${sidecar.port}`, cluster: 'meshgate', timeout: `${TIMEOUT}s` },
          path_prefix: ENVOY_PATH,
          authorization_response: {
            allowed_upstream_headers: exact(givenNames(context)),
            ...(responseNames(context).length > 0 && {
              allowed_client_headers_on_success: exact(responseNames(context)),
            }),
          },
        },
      },
    },
  ];
  const off = {
    'envoy.filters.http.ext_authz': {
      '@type': type('envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute'),
      disabled: true,
    },
  };
  const route = (match: object) => ({ match, route: { cluster: 'meshgate' }, typed_per_filter_config: off });
  const routes = [
    route({ prefix: GATEWAY_PATH }),
    route({ path: METADATA_PATH }),
    route({ prefix: `${METADATA_PATH}/` }),
  ];
  const address = { socket_address: { address: sidecar.host, port_value: sidecar.port } };
  const clusters = [
    {
      name: 'meshgate',
      type: 'STRICT_DNS',
      connect_timeout: '3s',
      load_assignment: {
        cluster_name: 'meshgate',
        endpoints: [{ lb_endpoints: [{ endpoint: { address } }] }],
      },
    },
  ];
  const file = (name: string, where: string, list: readonly object[]) => [
    fileOf(`envoy-${name}.yaml`),
    `${YAML_HEAD}# ${where}\n${toYaml(list)}`,
  ];
  return {
    files: Object.fromEntries([
      file('filters', 'For http_filters, before the router.', filters),
      file('routes', 'For routes, first in the virtual host of each host of the policy.', routes),
      file('clusters', 'For clusters.', clusters),
    ]),
    gaps: anyEnvoyGaps('ingress.envoy'),
  };
}
