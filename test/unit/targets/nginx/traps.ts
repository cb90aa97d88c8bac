import { args, type Parsed } from './read.ts';

/** A line of NGINX configuration that every proxied location needs, and what happens without it. */
export interface Trap {
  readonly without: string;
  readonly directive: string;
  readonly holds: (values: readonly string[]) => boolean;
}

const is = (directive: string, value: string, without: string): Trap => ({
  without,
  directive,
  holds: (values) => values.length === 1 && values[0] === value,
});

const has = (directive: string, pattern: RegExp, without: string): Trap => ({
  without,
  directive,
  holds: (values) => values.some((value) => pattern.test(value)),
});

const IGNORED = 'X-Accel-Redirect X-Accel-Expires X-Accel-Limit-Rate X-Accel-Charset';

/** Lines that erase headers. If a list names the headers that pass, {@link listsHeaders}, there is nothing to erase. */
const erasing: readonly Trap[] = [
  // On a host that passes credentials of services on, the variable is empty unless the check has said the scheme.
  has('proxy_set_header', /^Authorization (|\$meshgate_authorization)$/, 'the credential reaches the service'),
  has('proxy_set_header', /^Proxy $/, 'CVE-2016-5385'),
];

/** For every location that proxies to a service. */
export const traps: readonly Trap[] = [
  has('auth_request', /^\/\.meshgate\/(check|hop)\/[^/]+\//, 'nothing is decided'),
  has('error_page', /^401 = (@meshgate_refuse|\$meshgate_refuse_as)$/, 'a refusal has no reason'),
  has('error_page', /^500 = @meshgate_down$/, 'a dead check is a bare 500'),
  has('error_page', /^400 = \/\.meshgate\/bad$/, 'a malformed request has no reason'),
  has('error_page', /^414 494 = \/\.meshgate\/large$/, 'a request that is too large has no reason'),
  is('satisfy', 'all', 'an outer "satisfy any" opens the route'),
  is('ssi', 'off', 'an include asks other routes unchecked'),
  is('mirror', 'off', 'an outer mirror asks other routes unchecked'),
  is('add_before_body', '', 'an outer addition asks other routes unchecked'),
  is('add_after_body', '', 'an outer addition asks other routes unchecked'),
  is('proxy_cache', 'off', 'one caller gets the answer of another'),
  is('proxy_store', 'off', 'answers are written to disk'),
  is('proxy_max_temp_file_size', '0', 'slow readers of large answers fill the disk, or the memory'),
  is('proxy_intercept_errors', 'off', 'an error of the service reads like a refusal of the gateway'),
  is('proxy_redirect', 'off', 'Location is rewritten by the name of an upstream block'),
  is('proxy_ignore_headers', IGNORED, 'a service reaches internal locations'),
  has('proxy_http_version', /^(1\.1|2)$/, 'no connection is kept'),
  is('proxy_next_upstream', 'error', 'a request is sent twice'),
  is('proxy_next_upstream_tries', '1', 'a request is sent twice'),
  is('proxy_pass', '$meshgate_to', 'a subrequest, which nothing checks, reaches the service'),
  has(
    'auth_request_set',
    /^\$meshgate_authority ([^$]+|\$meshgate_rule_authority|)$/,
    'the service gets the Host of another',
  ),
  has('proxy_set_header', /^Host \$meshgate_(authority|to_host)$/, 'a Host with signs of the client’s choice'),
  ...erasing,
  has('proxy_set_header', /^Upgrade \$meshgate_upgrade$/, 'h2c opens a tunnel past the check'),
  has('proxy_set_header', /^Connection \$meshgate_connection$/, 'h2c opens a tunnel past the check'),
  has('proxy_set_header', /^X-Forwarded-For \$remote_addr$/, 'an address of the client’s choice'),
  has('proxy_set_header', /^X-Forwarded-Proto https$/, 'a scheme of the client’s choice'),
  has('proxy_set_header', /^X-Forwarded-Port \d+$/, 'a port of the client’s choice'),
  has('proxy_set_header', /^X-Forwarded-Host ([^$]+|\$host)$/, 'a host of the client’s choice'),
  has('proxy_set_header', /^X-Request-Id \$request_id$/, 'logs cannot be joined'),
  has('proxy_set_header', /^traceparent \$meshgate_traceparent$/, 'traces cannot be joined'),
  has('proxy_set_header', /^tracestate \$meshgate_tracestate$/, 'a tracestate without its traceparent'),
];

/** For those that connect by TLS. */
export const tlsTraps: readonly Trap[] = [
  is('proxy_ssl_verify', 'on', 'any server can be the service'),
  has('proxy_ssl_trusted_certificate', /^\//, 'any server can be the service'),
  has('proxy_ssl_name', /^([^$]+|\$meshgate_rule_name)$/, 'any certificate of the CA will do'),
  is('proxy_ssl_server_name', 'on', 'the other side cannot choose its certificate'),
  is('proxy_ssl_session_reuse', 'off', 'a resumed session keeps an old or another identity'),
];

/** For those that connect through the mesh. */
export const meshTraps: readonly Trap[] = [
  is('proxy_ssl_certificate', '$meshgate_cert', 'a rotated certificate is not read'),
  is('proxy_ssl_certificate_key', '$meshgate_key', 'a rotated key is not read'),
  has(
    'auth_request_set',
    /^\$meshgate_cert (\/|\$meshgate_(identity_cert(_[a-z0-9_]+)?|rule_cert)$)/,
    'the mesh sees no identity',
  ),
  has(
    'auth_request_set',
    /^\$meshgate_key (\/|\$meshgate_(identity_key(_[a-z0-9_]+)?|rule_key)$)/,
    'the mesh sees no identity',
  ),
  has(
    'auth_request_set',
    /^\$meshgate_pass ((http|grpc)s:\/\/(\$meshgate_((http2|grpc)_)?(upstream(s?_[a-z0-9_]+)?|workload_[a-z0-9_]+)|meshgate_((http2|grpc)_)?(ingress(es)?|workload)_(mesh_[a-z0-9-]+_)?([a-z0-9-]+_)?[a-z0-9-]+)|\$meshgate_rule_pass)$/,
    'two identities share connections',
  ),
];

/** For those that connect to the service itself by TLS. */
export const directTraps: readonly Trap[] = [
  is('proxy_ssl_certificate', '', 'a stranger gets an identity of the mesh'),
  is('proxy_ssl_certificate_key', '', 'a stranger gets an identity of the mesh'),
];

/** Directives that the other module lacks, or, for an upgrade, never needs. */
const PROXY_ONLY = /^proxy_(cache|store|max_temp_file_size|redirect|http_version)$/;

/** For a location that accepts gRPC calls: its own module's directives under the names of the other's, which do not
 * apply. */
export function callsAsProxied(location: Parsed): Parsed {
  const block = (location.block ?? [])
    .filter(({ words }) => !words[0]?.startsWith('proxy_'))
    .map((one) => ({ ...one, words: [one.words[0]?.replace(/^grpc_/, 'proxy_') ?? '', ...one.words.slice(1)] }));
  return { ...location, block };
}

const calls = (trap: Trap): readonly Trap[] => {
  if (PROXY_ONLY.test(trap.directive) || trap.without.startsWith('h2c')) return [];
  if (trap.directive !== 'error_page' || trap.without === 'a malformed request has no reason') return [trap];
  const variable = trap.without === 'a refusal has no reason' ? '401 = $meshgate_refuse_to' : '500 = $meshgate_down_to';
  return [{ ...trap, holds: (values) => values.includes(variable) }];
};

/** Whether a location drops every header of the client that no line of it sends. */
export const listsHeaders = ({ block = [] }: Parsed): boolean =>
  args(block, 'proxy_pass_request_headers').join() === 'off';

/** A location as nginx sees it: directives that it lacks are inherited from the location around it. */
export function inherited(around: readonly Parsed[], location: Parsed): Parsed {
  const own = location.block ?? [];
  const reported = new Set(own.map((one) => one.words[0]));
  return {
    ...location,
    block: [...own, ...around.filter((one) => one.block === undefined && !reported.has(one.words[0]))],
  };
}

/** The traps of which a location lacks the line. */
export function fallsInto(location: Parsed, wanted: readonly Trap[]): readonly Trap[] {
  const { words, block = [] } = location;
  const open = ['^~', '='].includes(words[1] ?? '')
    ? []
    : [{ without: 'a regular expression beside it answers instead', directive: 'location', holds: () => true }];
  return [...open, ...wanted.filter((trap) => !trap.holds(args(block, trap.directive)))];
}

/** The lines that replace those of other locations, if a service has several ingresses. */
const onward: Readonly<Record<string, Trap>> = {
  proxy_next_upstream: is('proxy_next_upstream', 'error timeout', 'a request with effects is sent twice'),
  proxy_next_upstream_tries: is('proxy_next_upstream_tries', '0', 'the next ingress is not reached'),
};

/** Whether requests go on to another ingress. If a rule chooses the service, the line itself says so. */
function goesOn({ block = [] }: Parsed): boolean {
  const pass = args(block, 'auth_request_set').find((one) => one.startsWith('$meshgate_pass ')) ?? '';
  if (pass.endsWith('$meshgate_rule_pass')) return args(block, 'proxy_next_upstream_tries').includes('0');
  return /_(upstreams|ingresses)_/.test(pass);
}

/** The lines that a location needs, from how it proxies. */
export function trapsOf(location: Parsed, grpc: boolean): readonly Trap[] {
  const all = goesOn(location) ? traps.map((trap) => onward[trap.directive] ?? trap) : traps;
  const needed = listsHeaders(location) ? all.filter((trap) => !erasing.includes(trap)) : all;
  const common = grpc ? needed.flatMap(calls) : needed;
  const sets = args(location.block ?? [], 'auth_request_set');
  const pass = sets.find((one) => one.startsWith('$meshgate_pass '))?.split(' ')[1] ?? '';
  // The place depends on the rule: another test checks it.
  const mixed = pass === '$meshgate_rule_pass';
  const shows = sets.some((one) => one.startsWith('$meshgate_cert '));
  if (mixed) return [...common, ...tlsTraps, ...(shows ? meshTraps : directTraps)];
  return [
    ...common,
    ...(/^(http|grpc)s:/.test(pass) ? tlsTraps : []),
    ...(/^(http|grpc):/.test(pass) ? [] : pass.includes('meshgate_direct_') ? directTraps : meshTraps),
  ];
}
