/** A small model of oauth2-proxy 7.15: which configurations it starts with, and which requests pass. The facts are those
 * of its sources (pkg/apis/options, pkg/validation, providers, oauthproxy.go) and of the libraries that read its flags,
 * variables and files (pflag, viper, mapstructure). */

export type Claims = Readonly<Record<string, unknown>>;

export interface Request {
  readonly method: string;
  readonly path: string;
  readonly network: string;
  readonly claims?: Claims;
}

/** What an administrator wrote. */
export interface Given {
  readonly flags?: readonly string[];
  readonly variables?: Readonly<Record<string, string>>;
  readonly file?: Readonly<Record<string, unknown>>;
  /** The first provider of the alpha configuration. */
  readonly alpha?: Readonly<Record<string, unknown>>;
}

type Kind = 'list' | 'bool' | 'text' | 'duration' | 'number';

interface Known {
  readonly flag: string;
  readonly key: string;
  readonly kind: Kind;
  readonly isProvider: boolean;
}

const known = (kind: Kind, isProvider: boolean, names: string): readonly Known[] =>
  names.split(/\s+/).map((it) => {
    const [flag = '', key] = it.split(':');
    return { flag, key: key ?? flag.replaceAll('-', '_'), kind, isProvider };
  });

/** Options, the keys of those whose key is another word, and whether they are part of the alpha configuration. */
export const options: readonly Known[] = [
  ...known(
    'list',
    false,
    'email-domain:email_domains skip-auth-regex skip-auth-route:skip_auth_routes api-route:api_routes trusted-ip:trusted_ips trusted-proxy-ip:trusted_proxy_ips whitelist-domain:whitelist_domains extra-jwt-issuers htpasswd-user-group:htpasswd_user_groups cookie-domain:cookie_domains',
  ),
  ...known(
    'list',
    true,
    'allowed-group:allowed_groups allowed-role:allowed_roles keycloak-group:keycloak_groups gitlab-group:gitlab_groups gitlab-project:gitlab_projects google-group:google_groups github-user:github_users entra-id-allowed-tenant:entra_id_allowed_tenants oidc-audience-claim:oidc_audience_claims oidc-extra-audience:oidc_extra_audiences oidc-enabled-signing-alg:oidc_enabled_signing_algs upstream:upstreams provider-ca-file:provider_ca_files',
  ),
  ...known(
    'bool',
    false,
    'skip-auth-preflight skip-jwt-bearer-tokens reverse-proxy force-https force-json-errors encode-state skip-provider-button relative-redirect-url allow-query-semicolons ssl-insecure-skip-verify bearer-token-login-fallback cookie-secure cookie-httponly cookie-csrf-per-request session-cookie-minimal gcp-healthchecks show-debug-on-error',
  ),
  ...known(
    'bool',
    true,
    'insecure-oidc-allow-unverified-email insecure-oidc-skip-issuer-verification insecure-oidc-skip-nonce skip-oidc-discovery skip-claims-from-profile-url pass-host-header pass-access-token pass-user-headers prefer-email-to-user set-xauthrequest entra-id-federated-token-auth',
  ),
  ...known(
    'text',
    false,
    'authenticated-emails-file real-client-ip-header cookie-samesite session-store-type redirect-url proxy-prefix ping-path cookie-secret',
  ),
  ...known(
    'text',
    true,
    'provider oidc-issuer-url client-id client-secret oidc-email-claim user-id-claim oidc-groups-claim azure-tenant github-org github-team bitbucket-team scope prompt',
  ),
  ...known('duration', false, 'cookie-expire cookie-refresh cookie-csrf-expire'),
  ...known('duration', true, 'upstream-timeout flush-interval'),
  ...known('number', false, 'cookie-csrf-per-request-limit redis-connection-idle-timeout logging-max-age'),
];

const FAILS = Symbol('oauth2-proxy does not start');

/** strconv.ParseBool. */
const boolOf = (text: string) => {
  if ('1 t T TRUE true True'.split(' ').includes(text)) return true;
  return '0 f F FALSE false False'.split(' ').includes(text) ? false : FAILS;
};

/** The first record that encoding/csv reads. */
function record(text: string): readonly string[] | typeof FAILS {
  if (text === '') return [];
  const fields: string[] = [];
  for (let at = 0; ; at++) {
    let field = '';
    if (text[at] === '"') {
      for (at++; ; at++) {
        if (at >= text.length) return FAILS;
        if (text[at] !== '"') field += text[at];
        else if (text[at + 1] === '"') field += text[at++];
        else break;
      }
      at++;
      if (at < text.length && text[at] !== ',') return FAILS;
    } else {
      while (at < text.length && text[at] !== ',' && text[at] !== '\n') field += text[at++];
      if (field.includes('"')) return FAILS;
    }
    fields.push(field);
    if (text[at] !== ',') return fields;
  }
}

const DURATION = /^[-+]?(?:0|(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)$/;

type Value = readonly string[] | string | boolean | typeof FAILS;

function readText(kind: Kind, text: string, isFlag: boolean): Value {
  if (kind === 'list') return isFlag ? record(text) : text === '' ? [] : text.split(',');
  if (kind === 'bool') return text === '' && !isFlag ? false : boolOf(text);
  if (kind === 'duration') return DURATION.test(text) ? text : FAILS;
  if (kind === 'number') return /^[-+]?\d+$/.test(text) ? text : FAILS;
  return text;
}

/** A value of TOML, which mapstructure converts to another type where it can. */
function readToml(kind: Kind, value: unknown): Value {
  if (typeof value === 'string') return readText(kind, value, false);
  if (Array.isArray(value)) {
    if (value.some((it) => typeof it === 'object')) return FAILS;
    if (kind === 'list') return value.map((it) => (typeof it === 'boolean' ? String(Number(it)) : String(it)));
    return kind === 'text' && value.length === 0 ? '' : FAILS;
  }
  if (typeof value !== 'number' && typeof value !== 'boolean') return FAILS;
  if (kind === 'bool') return Boolean(value);
  if (kind === 'list') return [String(Number(value))];
  return kind === 'text' && typeof value === 'boolean' ? String(Number(value)) : String(value);
}

type Read = Map<string, Value>;

function readFlags(flags: readonly string[]): Read | undefined {
  const read: Read = new Map();
  for (let at = 0; at < flags.length; at++) {
    const word = flags[at]!;
    if (word === '--') return read;
    if (!word.startsWith('-') || word === '-') continue;
    const [name, ...rest] = word.slice(2).split('=');
    const option = options.find(({ flag }) => `--${flag}` === `${word.slice(0, 2)}${name}`);
    if (option === undefined) return undefined;
    const text = rest.length > 0 ? rest.join('=') : option.kind === 'bool' ? 'true' : flags[++at];
    const value = text === undefined ? FAILS : readText(option.kind, text, true);
    if (value === FAILS) return undefined;
    const before = read.get(option.flag);
    read.set(option.flag, Array.isArray(value) && Array.isArray(before) ? [...before, ...value] : value);
  }
  return read;
}

/** The members of a provider that the tests use. Their types are not converted. */
const ALPHA: Readonly<Record<string, string>> = {
  provider: 'provider',
  clientID: 'client-id',
  clientSecret: 'client-secret',
  allowedGroups: 'allowed-group',
  'oidcConfig.issuerURL': 'oidc-issuer-url',
  'oidcConfig.emailClaim': 'oidc-email-claim',
  'oidcConfig.userIDClaim': 'user-id-claim',
  'oidcConfig.groupsClaim': 'oidc-groups-claim',
  'oidcConfig.audienceClaims': 'oidc-audience-claim',
  'oidcConfig.insecureAllowUnverifiedEmail': 'insecure-oidc-allow-unverified-email',
  'keycloakConfig.roles': 'allowed-role',
};

function readAlpha(members: Claims): Read | undefined {
  const read: Read = new Map();
  const all = Object.entries(members).flatMap(([key, value]) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.entries(value).map(([inner, it]) => [`${key}.${inner}`, it] as const)
      : [[key, value] as const],
  );
  for (const [key, value] of all) {
    if (key === 'id' || value === null) continue;
    const kind = options.find(({ flag }) => flag === ALPHA[key])?.kind;
    const fits =
      kind === 'list'
        ? Array.isArray(value) && value.every((it) => typeof it === 'string')
        : typeof value === (kind === 'bool' ? 'boolean' : 'string');
    if (kind === undefined || !fits) return undefined;
    read.set(ALPHA[key]!, value as Value);
  }
  return read;
}

/** Flags win over variables, and variables over the file. An empty variable is as if it were not there. */
function read({ flags = [], variables = {}, file = {}, alpha }: Given): Read | undefined {
  const fromFlags = readFlags(flags);
  const fromAlpha = alpha && readAlpha(alpha);
  if (fromFlags === undefined || (alpha !== undefined && fromAlpha === undefined)) return undefined;
  const read: Read = new Map();
  const keys = Object.keys(file).map((key) => key.toLowerCase());
  if (new Set(keys).size < keys.length || keys.some((key) => !options.some((it) => it.key === key))) return undefined;
  for (const { flag, key, kind, isProvider } of options) {
    const inFile = Object.entries(file).find(([it]) => it.toLowerCase() === key);
    const variable = variables[`OAUTH2_PROXY_${key.toUpperCase()}`];
    if (alpha !== undefined && isProvider) {
      if (inFile !== undefined || fromFlags.has(flag)) return undefined;
      if (fromAlpha?.has(flag)) read.set(flag, fromAlpha.get(flag)!);
    } else if (fromFlags.has(flag)) read.set(flag, fromFlags.get(flag)!);
    else if (variable) read.set(flag, readText(kind, variable, false));
    else if (inFile !== undefined) read.set(flag, readToml(kind, inFile[1]));
  }
  return [...read.values()].includes(FAILS) ? undefined : read;
}

const bits = (address: string): string | undefined => {
  const parts = address.split('.');
  if (parts.length !== 4 || parts.some((it) => !/^(?:0|[1-9]\d*)$/.test(it) || Number(it) > 255)) return undefined;
  return parts.map((it) => Number(it).toString(2).padStart(8, '0')).join('');
};

/** Ranges of IPv4, as bits. */
function range(text: string): string | undefined {
  const [address = '', length = '32', ...more] = text.split('/');
  const all = bits(address);
  if (all === undefined || more.length > 0 || !/^(?:0|[1-9]\d?)$/.test(length) || Number(length) > 32) return undefined;
  return all.slice(Number(length)).includes('1') ? undefined : all.slice(0, Number(length));
}

const compiled = (text: string): RegExp | undefined => {
  if (/\(\?[=!<]|\\[1-9]/.test(text)) return undefined;
  try {
    return new RegExp(text.replace('(?i)', ''), text.includes('(?i)') ? 'i' : '');
  } catch {
    return undefined;
  }
};

const SIGNED = ['oidc', 'adfs', 'azure', 'cidaas', 'gitlab', 'keycloak-oidc', 'entra-id'];
const OTHERS = 'bitbucket digitalocean facebook github google keycloak linkedin login.gov nextcloud sourcehut'.split(
  ' ',
);

/** Whether a request passes to the service. The list of addresses has these. */
export function passes(given: Given, request: Request, addresses: readonly string[] = []): boolean {
  const all = read(given);
  if (all === undefined) return false;
  const list = (name: string) => (all.get(name) as readonly string[] | undefined) ?? [];
  const text = (name: string, usual = '') => (all.get(name) as string | undefined) || usual;
  const is = (name: string) => all.get(name) === true;
  const type = text('provider', 'google');
  const routes = [
    ...list('skip-auth-regex').map((it) => ({ method: '', expression: it, negated: false })),
    ...list('skip-auth-route').map((it) => {
      const [, method = '', expression] = /^([\s\S]*?)!?=([\s\S]*)$/.exec(it) ?? [];
      return { method: method.toUpperCase(), expression: expression ?? it, negated: it.includes('!=') };
    }),
  ].map((it) => ({ ...it, expression: compiled(it.expression) }));
  const starts = [
    SIGNED.includes(type) ? text('oidc-issuer-url') !== '' : OTHERS.includes(type),
    list('email-domain').length > 0 || text('authenticated-emails-file') !== '',
    [...list('trusted-ip'), ...list('trusted-proxy-ip')].every((it) => range(it) !== undefined),
    routes.every((it) => it.expression !== undefined),
    list('api-route').every((it) => compiled(it) !== undefined),
    ['', 'lax', 'strict', 'none'].includes(text('cookie-samesite')),
    !all.has('session-store-type') || ['cookie', 'redis'].includes(text('session-store-type')),
    list('oidc-enabled-signing-alg').every((it) => /^(?:HS|RS|ES|PS)(?:256|384|512)$/.test(it)),
    !is('reverse-proxy') ||
      /^(?:x-forwarded-for|x-real-ip|x-proxyuser-ip|x-envoy-external-address|cf-connecting-ip)$/i.test(
        text('real-client-ip-header', 'x-real-ip'),
      ),
    !is('skip-jwt-bearer-tokens') || list('extra-jwt-issuers').every((it) => it.includes('=')),
  ];
  if (starts.includes(false)) return false;
  const { method, path, network, claims } = request;
  if (is('skip-auth-preflight') && method === 'OPTIONS') return true;
  if (routes.some((it) => ['', method].includes(it.method) && it.expression!.test(path) !== it.negated)) return true;
  if (list('trusted-ip').some((it) => bits(network)!.startsWith(range(it)!))) return true;
  if (claims === undefined) return false;
  const claim = text('oidc-email-claim', 'email');
  const emailClaim = claim === 'email' ? text('user-id-claim', 'email') : claim;
  const email = String(claims[emailClaim] ?? '').toLowerCase();
  const mustVerify = emailClaim === 'email' && !is('insecure-oidc-allow-unverified-email');
  if (mustVerify && claims.email_verified === false) return false;
  const domains = list('email-domain').map((it) => (it === '*' ? it : it.toLowerCase()));
  const host = email.split('@')[1] ?? '';
  const isIn = (it: string) => email.endsWith(`@${it}`) || (/^\*?\./.test(it) && host.endsWith(it.replace(/^\*/, '')));
  const isOne = email.split('@').length === 2;
  const isAddress = domains.includes('*') || (isOne && domains.some(isIn)) || addresses.includes(email);
  if (email === '' || !isAddress) return false;
  if ((list('oidc-audience-claim')[0] ?? 'aud') !== 'aud') return false;
  const algorithms = list('oidc-enabled-signing-alg');
  // The provider signs with any algorithm that has a public key.
  if (algorithms.length > 0 && algorithms.every((it) => it.startsWith('HS'))) return false;
  const groups = ((claims[text('oidc-groups-claim', 'groups')] ?? []) as readonly string[]).concat(
    type === 'keycloak-oidc'
      ? (((claims.realm_access as Claims | undefined)?.roles ?? []) as readonly string[]).map((it) => `role:${it}`)
      : [],
  );
  return isMember(type, groups, list, text);
}

function isMember(
  type: string,
  groups: readonly string[],
  list: (name: string) => readonly string[],
  text: (name: string) => string,
): boolean {
  const allowed = (
    type === 'gitlab' ? list('gitlab-group') : type === 'keycloak' ? list('keycloak-group') : list('allowed-group')
  ).filter((it) => it !== '');
  const roles = type === 'keycloak-oidc' ? list('allowed-role').map((it) => `role:${it}`) : [];
  const google = type === 'google' ? list('google-group') : [];
  const wanted = google.length > 0 ? google : [...allowed, ...roles];
  const isOf = (names: readonly string[]) => names.some((it) => groups.includes(it));
  if (wanted.length > 0 && !isOf(wanted)) return false;
  if (type === 'bitbucket') return text('bitbucket-team') === '' || isOf([text('bitbucket-team')]);
  if (type !== 'github') return true;
  const [org, teams] = [
    text('github-org'),
    text('github-team')
      .split(',')
      .map((it) => it.trim()),
  ];
  if (org !== '') return isOf(text('github-team') === '' ? [org] : teams.map((it) => `${org}:${it}`));
  if (text('github-team') !== '') return teams.every((it) => it.includes(':')) && isOf(teams);
  return list('github-user').length === 0;
}
