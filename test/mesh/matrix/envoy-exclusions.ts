import type { Alternatives, Equivalent, Exclusion } from './mutants.ts';

const listener = '^envoy\\.yaml/static_resources/listeners/0';
const hcm = `${listener}/filter_chains/0/filters/0/typed_config`;
const cluster = '^envoy\\.yaml/static_resources/clusters/\\d+';

const at = (...paths: readonly string[]) => new RegExp(`(${paths.join('|')})$`);

/** What of envoy.yaml is no policy. */
export const ENVOY_EXCLUSIONS: readonly Exclusion[] = [
  { at: at('^envoy\\.yaml/admin'), reason: 'the admin interface is no way to a service' },
  { at: at(`${listener}/address`), reason: 'where it listens: with another one nobody finds it' },
  {
    at: at(`${listener}/name`, `${hcm}/stat_prefix`, `${hcm}/route_config/name`, '/virtual_hosts/\\d+/name'),
    reason: 'a name in logs and statistics',
  },
  {
    at: at(
      '/filter_chains/0/filters/0/name',
      '/transport_socket/name',
      `${hcm}/http_filters/\\d+/name`,
      '/custom/name',
    ),
    reason: 'a label: the type beside it says what it is',
  },
  { at: at(`${hcm}/access_log`), reason: 'the log' },
  {
    at: at('timeout', '/common_http_protocol_options', `${cluster}/circuit_breakers`, `${hcm}/max_request_headers_kb`),
    reason: 'a time or a size',
  },
  {
    at: at(
      '/alpn_protocols',
      `${hcm}/upgrade_configs`,
      `${cluster}/type`,
      '/dns_lookup_family',
      '/suppress_envoy_headers',
    ),
    reason: 'a protocol, not who may speak it',
  },
  {
    at: at(`${hcm}/use_remote_address`, `${hcm}/preserve_external_request_id`),
    reason: 'headers about address and request, by which nothing is decided',
  },
];

/** What changes nothing that any request could see. */
export const ENVOY_EQUIVALENTS: readonly Equivalent[] = [];

/** Fields with a closed list of values. */
export const ENVOY_ALTERNATIVES: Alternatives = {
  action: ['ALLOW', 'DENY', 'LOG'],
  san_type: ['URI', 'DNS', 'EMAIL'],
  forward_client_cert_details: ['SANITIZE', 'FORWARD_ONLY', 'APPEND_FORWARD', 'SANITIZE_SET', 'ALWAYS_FORWARD_ONLY'],
  path_with_escaped_slashes_action: ['KEEP_UNCHANGED', 'REJECT_REQUEST', 'UNESCAPE_AND_FORWARD'],
};
