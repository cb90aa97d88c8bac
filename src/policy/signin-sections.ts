import * as z from 'zod';
import { DEFAULTS, MAX_PEOPLE, MAX_SIGNIN_BURST, SITE_NETWORKS } from '../limits.ts';
import { hints } from './hints.ts';
import { list } from './lists.ts';
import * as s from './scalars.ts';

/** What a policy says of browsers: the keys of the gateway, of providers, of hosts and routes. */

const LABEL = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';
const DOMAIN = new RegExp(`^(?=.{1,253}$)${LABEL}(?:\\.${LABEL})+$`);

const host = s.text(new RegExp(`^(?=.{1,253}$)${LABEL}(?:\\.${LABEL})*$`), {
  what: 'the name of one host',
  write: 'a DNS name in lower case, as in auth.example.com',
  fix: (value) => {
    const plain = typeof value === 'string' ? value.toLowerCase().replace(/^https?:\/\/|[:/][\s\S]*$/g, '') : '';
    return DOMAIN.test(plain) ? plain : undefined;
  },
});

const domain = s.text(DOMAIN, {
  what: 'a domain',
  write: 'what stands behind the @, in lower case, as in example.com',
  fix: (value) => {
    const plain = typeof value === 'string' ? value.toLowerCase().replace(/^.*@|^\*\./g, '') : '';
    return DOMAIN.test(plain) ? plain : undefined;
  },
});

const prefix = s.text(/^\/(?:[A-Za-z0-9._-]{1,64}\/){1,8}$/, {
  what: 'a prefix of keys',
  write: 'names between slashes, as in /meshgate/',
  fix: (value) =>
    typeof value === 'string' && /^\/?[\w.-]+\/?$/.test(value) ? `/${value.replace(/\//g, '')}/` : undefined,
});

const endpoint = s.text(s.HTTPS_URL, {
  what: 'an https: URL of host and port',
  write: 'where etcd listens for clients, as in https://etcd-0:2379 (no path)',
  fix: (value) => {
    const origin = typeof value === 'string' ? /^https?:\/\/[^/?#]+/.exec(value)?.[0].replace('http:', 'https:') : '';
    return origin && s.HTTPS_URL.test(origin) ? origin : undefined;
  },
});

/** OAuth 2.0 (RFC 6749), appendix A.1: visible characters. */
const clientId = s.text(/^[!-~]{1,256}$/, {
  what: 'a client id',
  write: 'the id under which the gateway is registered',
  fix: (value) => (typeof value === 'number' ? `"${value}" in quotes` : undefined),
});

/** RFC 6749, section 3.3. */
const scope = s.text(/^[!#-[\]-~]{1,128}$/, {
  what: 'a scope',
  write: 'a word without spaces, as in openid',
  fix: (value) => (typeof value === 'string' && / /.test(value) ? `${value.trim().split(/ +/).join(', ')}` : undefined),
});

const acrValue = s.text(/^[!-~]{1,128}$/, {
  what: 'an authentication context class',
  write: 'a word without spaces, in quotes, as in "phr"',
  fix: (value) => (typeof value === 'number' ? `"${value}" in quotes` : undefined),
});

export const session = z
  .strictObject({
    keys_file: s.filePath.describe('JWKS of the keys that seal cookies; "meshgate keys --session" makes it.'),
    idle: s.duration.describe('How long a session lasts without a request.').meta({ default: '8h' }).optional(),
    absolute: s.duration.describe('How long a session lasts at most.').meta({ default: '24h' }).optional(),
    fresh: s.duration
      .describe('How long what the provider said of a person counts before it is asked again.')
      .meta({ default: '10m' })
      .optional(),
    people: z
      .int()
      .min(1)
      .max(MAX_PEOPLE)
      .register(hints, { what: 'a number of people', write: `a whole number from 1 to ${MAX_PEOPLE}` })
      .describe('How many people have sessions at a time: shared memory has room for their records and revocations.')
      .meta({ default: DEFAULTS.sessionPeople })
      .optional(),
    insecure_forget_revocations: z
      .literal(true)
      .register(hints, { what: 'true', write: 'true, or leave it out' })
      .describe('The image starts although a restart forgets what was revoked: its state is in memory, without etcd.')
      .optional(),
  })
  .describe('Browsers sign in; a sealed cookie says who somebody is.');

/** nginx itself counts these, by the second or the minute. */
const signinLimit = z
  .strictObject({
    rate: s
      .text(/^[1-9]\d{0,4}\/[sm]$/, {
        what: 'a rate by the second or the minute',
        write: '20/s or 600/m',
        fix: (value) => (/^[1-9]\d{0,4}$/.test(String(value)) ? `${value}/s` : undefined),
      })
      .describe('Requests that each address may make in the long run.')
      .meta({ default: DEFAULTS.signinRate })
      .optional(),
    burst: z
      .int()
      .min(1)
      .max(MAX_SIGNIN_BURST)
      .register(hints, { what: 'a number of requests', write: `a number from 1 to ${MAX_SIGNIN_BURST}` })
      .describe('Requests that may come at once.')
      .meta({ default: DEFAULTS.signinBurst })
      .optional(),
  })
  .register(hints, { what: 'a limit', write: '{ rate: 20/s, burst: 200 }' })
  .describe(
    `What each address, of IPv6 each /64 network, may ask of the sign-in itself; a /48 network has ${SITE_NETWORKS} times as much. nginx counts.`,
  );

export const signin = z
  .strictObject({
    host: host
      .describe('Where people sign in for all hosts, with one registered callback. Default: each host by itself.')
      .optional(),
    tls: z
      .strictObject({ cert_file: s.certFile, key_file: s.keyFile })
      .describe('Server certificate of that host in the image. Default: the gateway’s.')
      .optional(),
    pages_dir: s.filePath.describe('Folder of page templates; what is not in it is the gateway’s own.').optional(),
    limit: signinLimit.optional(),
  })
  .describe('How signing in looks.');

export const store = z
  .strictObject({
    etcd: list(endpoint, '[https://etcd-0:2379]').describe('Endpoints of etcd, asked in turn.'),
    ca_file: s.filePath.describe('CA that etcd’s certificates are verified with. Default: the system’s.').optional(),
    cert_file: s.certFile.optional(),
    key_file: s.keyFile.optional(),
    prefix: prefix.describe('Before every key.').meta({ default: '/meshgate/' }).optional(),
  })
  .describe('What several replicas share: refresh tokens (sealed), sign-outs. Default: each is on its own.');

export const publicPort = s.port
  .describe('Port in the gateway’s own URLs, as browsers and other clients see it.')
  .meta({ default: 443 });

export const client = z
  .strictObject({
    id: clientId.describe('Client id.'),
    secret_file: s.filePath
      .describe('File of the client secret; a second line is the next one, or the last, while it changes.')
      .optional(),
    auth: z
      .enum(['basic', 'post'])
      .describe('How the secret is sent: as Basic credentials, or in the body.')
      .meta({ default: 'basic' })
      .optional(),
    cert_file: s.certFile.optional(),
    key_file: s.keyFile.optional(),
    keys_file: s.filePath.describe('JWKS of private keys, for private_key_jwt; the first one signs.').optional(),
  })
  .register(hints, {
    what: 'a client',
    write: '{ id: meshgate, secret_file: /run/secrets/client }',
    fix: (value) =>
      Array.isArray(value)
        ? 'clients: for those that tokens are issued to, or { id: meshgate, secret_file: /run/secrets/client }'
        : undefined,
  })
  .describe('The gateway as it is registered at the provider; with it, people sign in.');

export const introspection = z
  .strictObject({
    endpoint: s.providerEndpoint
      .describe('Where the provider is asked. Default: what its discovery document says.')
      .optional(),
    cache: s.duration.describe('How long an answer counts.').meta({ default: '1m' }).optional(),
    negative: s.duration.describe('How long it counts that a token is not active.').meta({ default: '10s' }).optional(),
    timeout: s.duration.describe('Longest wait for an answer, at most 4s.').meta({ default: '4s' }).optional(),
    stale: s.duration
      .describe('How long an answer counts besides while the provider does not answer. Default: not at all.')
      .optional(),
    jwts: z
      .literal(true)
      .register(hints, { what: 'true', write: 'true, or leave it out' })
      .describe('JWTs are asked for as well, once their signature holds: what is called back ends within "cache".')
      .optional(),
    insecure_any_type: z
      .literal(true)
      .register(hints, { what: 'true', write: 'true, or leave it out' })
      .describe('Takes tokens of which the provider does not say "token_type": a refresh token may be one.')
      .optional(),
  })
  .register(hints, { what: 'how the provider is asked', write: '{ cache: 1m }' })
  .describe('The provider is asked about tokens that are no JWTs (RFC 7662); needs a client.');

export const providerSignin = z
  .strictObject({
    scopes: list(scope, '[openid, profile, email]')
      .describe('Scopes that are asked for. Default: what the kind of provider needs.')
      .optional(),
    prompt: z
      .enum(['login', 'consent', 'select_account'])
      .describe('What the provider asks each time. Default: what it thinks fit.')
      .optional(),
    max_age: s.duration.describe('The provider asks people again whose last sign-in there is longer ago.').optional(),
    acr_values: list(acrValue, '[phr]').describe('Ways to sign in that are asked for, the best first.').optional(),
    domains: list(domain, '[example.com]')
      .describe('People with e-mail addresses there sign in through this provider.')
      .optional(),
    userinfo: z
      .boolean()
      .register(hints, { what: 'true or false', write: 'true or false' })
      .describe('What the ID token lacks is fetched from the UserInfo endpoint. Default: true, but for entra.')
      .optional(),
    label: s.plainText.describe('What the provider is called where people choose. Default: its name.').optional(),
    par: z
      .boolean()
      .register(hints, { what: 'true or false', write: 'true or false' })
      .describe('Requests are pushed to the provider first (RFC 9126). Default: where it requires that.')
      .optional(),
  })
  .describe('What is asked of the provider when somebody signs in.');

export const owner = s.plainText.describe('Whom people may ask, as the denied page names them.');

const URL_PART = '[A-Za-z0-9._~:/?#@!$&()*+,;=%-]';
const FILLED = '\\{(?:reason|request_id|route)\\}';

/** Whoever writes a host cannot be moved to another by what is filled in: that comes after it. */
const ASK = new RegExp(
  `^(?=.{1,500}$)(?:https://${LABEL}(?:\\.${LABEL})*(?::\\d{1,5})?(?:[/?](?:${URL_PART}|${FILLED})*)?|mailto:[A-Za-z0-9._%+-]+@${LABEL}(?:\\.${LABEL})*(?:\\?(?:${URL_PART}|${FILLED})*)?)$`,
);

export const ask = s
  .text(ASK, {
    what: 'an https: or mailto: link',
    write: 'https://tickets.example.com/new?reason={reason}; {reason}, {request_id} and {route} are filled in',
    fix: (value) => (typeof value === 'string' && ASK.test(`mailto:${value}`) ? `mailto:${value}` : undefined),
  })
  .describe('Link on the denied page to ask for access: {reason}, {request_id} and {route} are filled in.');

export const acr = acrValue.describe('The person signed in this way (claim acr).');
export const maxAge = s.duration.describe('The person signed in (claim auth_time) no longer ago than this.');
