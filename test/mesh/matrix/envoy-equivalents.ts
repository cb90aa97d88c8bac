import { isSameForAll } from './envoy-same.ts';
import type { Equivalent } from './equivalents.ts';
import type { Alternatives } from './mutants.ts';

const listener = '^envoy\\.yaml/static_resources/listeners/0';
const chain = `${listener}/filter_chains/0`;
const hcm = `${chain}/filters/0/typed_config`;
const filters = `${hcm}/http_filters/\\d+`;
const cluster = '^envoy\\.yaml/static_resources/clusters/\\d+';
const http = `${cluster}/typed_extension_protocol_options`;

const at = (...paths: readonly string[]) => new RegExp(`(${paths.join('|')})$`);

/** Changes to envoy.yaml that no request can distinguish from what was rendered. */
export const envoyEquivalents: readonly Equivalent[] = [
  { at: at('^envoy\\.yaml/admin'), reason: 'the admin interface is no way to a service' },
  {
    at: at(
      `${listener}/name`,
      `${hcm}/stat_prefix`,
      `${hcm}/route_config/name`,
      `${hcm}/route_config/virtual_hosts/\\d+/name`,
    ),
    reason: 'a name in logs and statistics',
  },
  {
    at: at(`${chain}/filters/0/name`, `${chain}/transport_socket/name`, `${filters}/name`, '/custom/name'),
    reason: 'a label: the type beside it says what it is',
  },
  {
    at: at(`${cluster}/load_assignment/cluster_name`),
    change: /^changed$/,
    reason: 'a label: the cluster has its own',
  },
  { at: at(`${hcm}/access_log`), reason: 'the log' },
  {
    at: at('timeout', '/common_http_protocol_options', `${cluster}/circuit_breakers`, `${hcm}/max_request_headers_kb`),
    reason: 'a time or a size',
  },
  {
    at: at(`${chain}/transport_socket/typed_config/common_tls_context/alpn_protocols`, `${hcm}/upgrade_configs`, http),
    reason: 'a protocol, not who may speak it',
  },
  {
    at: at(`${cluster}/dns_lookup_family`, `${cluster}/type`),
    reason: 'how a name is looked up, not which',
  },
  {
    at: at(
      `${hcm}/use_remote_address`,
      `${hcm}/preserve_external_request_id`,
      `${filters}/typed_config/suppress_envoy_headers`,
    ),
    reason: 'headers by which nothing is decided',
  },
  {
    at: at(`${chain}/transport_socket/typed_config/require_client_certificate`),
    reason: 'Envoy requires a certificate wherever names are given that it must have',
  },
  {
    at: at(`${filters}/typed_config/rules/action`),
    change: /^dropped$/,
    proves: ({ was }) => was === 'ALLOW',
    reason: 'Envoy allows where no action is said',
  },
  {
    at: at(`${filters}/typed_config/rules/policies`),
    proves: (mutant, [original]) => isSameForAll(original?.value, mutant),
    reason: 'the rules that are left let the same requests pass',
  },
];

/** Fields with a closed list of values. */
export const ENVOY_ALTERNATIVES: Alternatives = {
  action: ['ALLOW', 'DENY', 'LOG'],
  san_type: ['URI', 'DNS', 'EMAIL'],
  forward_client_cert_details: ['SANITIZE', 'FORWARD_ONLY', 'APPEND_FORWARD', 'SANITIZE_SET', 'ALWAYS_FORWARD_ONLY'],
  path_with_escaped_slashes_action: ['KEEP_UNCHANGED', 'REJECT_REQUEST', 'UNESCAPE_AND_FORWARD'],
};
