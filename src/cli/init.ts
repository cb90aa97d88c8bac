import { formatError, parsePolicy } from '../policy/index.ts';
import {
  aboutKinds,
  kindOfIssuer,
  type ProviderKind,
  type ProviderKindName,
  providerKinds,
} from '../providers/index.ts';
import { BACKCHANNEL_PATH, SIGNOUT_PATH } from '../session/names.ts';
import { callbackPath, httpsOrigin } from '../session/urls.ts';
import { argument, command, type FlagsOf, flag, NO, WrongUse, YES } from './common/context.ts';
import { discover, type Members, providerNetwork } from './common/provider.ts';
import type { Runtime } from './machine/runtime.ts';

const required = (placeholder: string, brief: string) => ({
  kind: 'parsed' as const,
  ...argument(placeholder, brief),
});

const flags = {
  host: required('HOST', 'The host that people open, with a port if its URLs have one'),
  to: required('URL', 'The service, or the mesh ingress, behind the gateway'),
  clientId: flag('ID', 'The id of the client at the provider, if it is known'),
  caFile: flag('FILE', 'CA of the provider’s certificate, for this command and in the policy (default: the system’s)'),
};

type Flags = FlagsOf<typeof flags>;

/** The host and port of `--host`. */
interface Place {
  readonly host: string;
  readonly port: number;
}

const CLIENT_ID = 'THE-CLIENT-ID';

function placeOf(flag: string): Place {
  const [, host, port] = /^([a-z0-9.-]+)(?::(\d{1,5}))?$/.exec(flag) ?? [];
  if (host === undefined) throw new WrongUse(`--host ${flag}: write wiki.example.com, or with a port in its URLs`);
  return { host, port: Number(port ?? 443) };
}

/** Returns a YAML scalar that every parser reads as this text. */
const quoted = (text: string): string => (/^[A-Za-z0-9][\w./:@-]*$/.test(text) ? text : JSON.stringify(text));

/** Returns the absolute path of a file that the user named. */
function absolute(runtime: Runtime, file: string): string {
  if (file.startsWith('/')) return file;
  const slash = file.lastIndexOf('/');
  return `${runtime.folder(slash < 0 ? '.' : file.slice(0, slash))}/${file.slice(slash + 1)}`;
}

function policyText(
  issuer: string,
  kind: ProviderKindName,
  { host, port }: Place,
  flags: Flags,
  caFile: string | undefined,
): string {
  const name = kind === 'generic' ? 'sso' : kind;
  const isOpen = (providerKinds[kind] as ProviderKind).ofAnybody === true;
  const ca = caFile === undefined ? '' : `, ca_file: ${quoted(caFile)}`;
  return [
    'version: 1',
    'gateway:',
    ...(port === 443 ? [] : [`  public_port: ${port}`]),
    '  tls: { cert_file: /run/tls/tls.crt, key_file: /run/tls/tls.key }',
    '  session: { keys_file: /run/secrets/session.jwks }',
    'providers:',
    `  ${name}: { issuer: ${quoted(issuer)}${ca}, client: { id: ${quoted(flags.clientId ?? CLIENT_ID)}, secret_file: /run/secrets/${name} } }`,
    // If anyone can have an account at the provider, an account alone must not give access.
    ...(isOpen ? ['roles:', '  staff: { claim: hd, is: example.com }'] : []),
    `services: { app: { url: ${quoted(flags.to)} } }`,
    'hosts:',
    `  ${host}:`,
    `    /*: { service: app, allow: [${isOpen ? 'staff' : 'authenticated'}] }`,
    '',
  ].join('\n');
}

const lists = (value: unknown, wanted: string): boolean => Array.isArray(value) && value.includes(wanted);

/** Returns notes about the provider's discovery document. */
function remarks(members: Members): readonly string[] {
  const { code_challenge_methods_supported: pkce, backchannel_logout_supported: backchannel } = members;
  const noCode = members.response_types_supported !== undefined && !lists(members.response_types_supported, 'code');
  return [
    ...(noCode ? ['The provider does not announce the authorization code flow ("response_types_supported").'] : []),
    ...(pkce !== undefined && !lists(pkce, 'S256')
      ? ['The provider does not support PKCE with S256, so no sign-in will work.']
      : []),
    ...(backchannel === true
      ? []
      : ['The provider has no back-channel sign-out: the gateway notices a sign-out there at the next renewal.']),
    ...(members.end_session_endpoint === undefined
      ? ['The provider has no sign-out endpoint: a sign-out ends only the session at the gateway.']
      : []),
  ];
}

function talk(
  issuer: string,
  kind: ProviderKindName,
  { host, port }: Place,
  members: Members,
  clientId: boolean,
  caFile: string | undefined,
): string {
  const origin = httpsOrigin(host, port);
  const name = kind === 'generic' ? 'sso' : kind;
  return [
    `${issuer} is ${aboutKinds[kind].title} (kind: ${kind}).`,
    ...remarks(members),
    '',
    'Register there:',
    ...aboutKinds[kind].registering.map((step) => `  ${step}`),
    `  redirect URI              ${origin}${callbackPath()}`,
    `  beside other providers    ${origin}${callbackPath(name)}`,
    `  URI after sign-out        ${origin}${SIGNOUT_PATH}`,
    ...(members.backchannel_logout_supported === true
      ? [`  back-channel logout URI   ${origin}${BACKCHANNEL_PATH}`]
      : []),
    '',
    'Then:',
    ...(clientId ? [] : [`  put the client's id in place of ${CLIENT_ID}`]),
    `  put its secret into /run/secrets/${name}`,
    ...(caFile === undefined
      ? []
      : [`  put the provider's CA where the gateway reads it, ${caFile}, or change ca_file`]),
    '  meshgate keys new --session session.jwks      (for /run/secrets/session.jwks)',
    '  meshgate validate meshgate.yaml',
    '',
    '',
  ].join('\n');
}

/** `meshgate init`: prints a first policy of about ten lines, and explains how to register the gateway. */
export const initCommand = command({
  brief: 'Print a first policy for a provider, and what to register there',
  text: 'Reads the provider’s discovery document (OpenID Connect Discovery), prints a first policy, and says what to register at the provider, such as the redirect URI. Everyone who signs in may pass; add roles next.',
  examples: [
    'meshgate init https://example.okta.com --host wiki.example.com --to https://wiki.internal:8443 > meshgate.yaml',
  ],
  flags,
  args: [argument('ISSUER', 'The provider’s issuer URL')],
  async run(runtime, flags, given) {
    const place = placeOf(flags.host);
    if (!/^https:\/\//.test(given)) throw new WrongUse(`${given}: an issuer is an https URL`);
    if ((providerKinds[kindOfIssuer(given)] as ProviderKind).signin === undefined)
      throw new WrongUse(`${given}: ${aboutKinds[kindOfIssuer(given)].registering[0]}`);
    const members = await discover(providerNetwork(runtime, 'init', flags.caFile), given);
    if (typeof members === 'string') {
      runtime.err(`${members}\n`);
      return NO;
    }
    const kind = kindOfIssuer(given);
    const caFile = flags.caFile === undefined ? undefined : absolute(runtime, flags.caFile);
    const text = policyText(given, kind, place, flags, caFile);
    const { errors } = parsePolicy(text, 'meshgate.yaml');
    if (errors.length > 0) throw new WrongUse(...errors.map((it) => formatError(it)));
    runtime.err(talk(given, kind, place, members, flags.clientId !== undefined, caFile));
    runtime.out(text);
    return YES;
  },
});
