import { foreign } from '../../base/hostile-text.ts';
import { DEVICE_POLL_S, MAX_DEVICE_WAIT_S, MIN_DEVICE_POLL_S } from '../../base/limits.ts';
import { detailOf } from '../../base/reasons.ts';
import type { Policy, Provider } from '../../policy/checked/types.ts';
import { advise } from '../../policy/read/suggest.ts';
import { formText } from '../../session/flow/query.ts';
import { command, type FlagsOf, flag, NO, WrongUse, YES } from '../common/context.ts';
import { loadValid } from '../common/load.ts';
import {
  askUrl,
  discover,
  jsonOf,
  type Members,
  providerNetwork,
  type Requested,
  withPolicyCa,
} from '../common/provider.ts';
import { sourceFlags, sourceOf } from '../common/source.ts';
import { Offline } from '../decide/offline.ts';
import type { Runtime } from '../machine/runtime.ts';

/** The device flow (RFC 8628) for a public client. */

/** Returns the provider's endpoints for the device flow, or a sentence that says why there are none. */
function deviceEndpoints(members: Members): { readonly device: string; readonly token: string } | string {
  const { device_authorization_endpoint: device, token_endpoint: token } = members;
  if (typeof device !== 'string') return 'the provider has no device flow ("device_authorization_endpoint")';
  return typeof token === 'string' ? { device, token } : 'the provider has no "token_endpoint"';
}

const form = (params: Readonly<Record<string, string>>): string => formText(Object.entries(params));

/** Returns the text of an OAuth error response. */
function errorText({ error, error_description: description }: Members): string {
  const text = [error, description].filter((it) => typeof it === 'string').join(': ');
  return foreign(text) || 'the response has no OAuth error';
}

const line = /^[\x21-\x7e]{1,2048}$/;
const isLine = (value: unknown): value is string => typeof value === 'string' && line.test(value);
const positive = (value: unknown, fallback: number): number =>
  typeof value === 'number' && value > 0 ? value : fallback;

/** Begins the device flow (section 3.1).
 * @param device the endpoint
 * @returns what the person must confirm (section 3.2), with the lifetime of the code and the interval of requests in
 * seconds; a sentence if this fails */
async function authorize(queried: Requested, device: string, params: Readonly<Record<string, string>>) {
  const answer = await askUrl(queried, device, form(params));
  if ('error' in answer) return `${foreign(device)}: no answer: ${answer.error}`;
  const members = jsonOf(answer) ?? {};
  if (answer.status !== 200) return `the provider refuses to begin (${answer.status}): ${errorText(members)}`;
  const { device_code: deviceCode, user_code: userCode, verification_uri: uri, expires_in, interval } = members;
  const complete = members.verification_uri_complete;
  const isCode = typeof userCode === 'string' && /^[\x20-\x7e]{1,64}$/.test(userCode);
  if (!isLine(deviceCode) || !isCode || !isLine(uri)) return 'the provider’s answer has no code to confirm';
  return {
    ...{ deviceCode, userCode },
    /** The URL to open. It contains the code if the provider sends such a URL. */
    uri: isLine(complete) ? complete : uri,
    expiresIn: Math.min(positive(expires_in, MAX_DEVICE_WAIT_S), MAX_DEVICE_WAIT_S),
    interval: Math.max(positive(interval, DEVICE_POLL_S), MIN_DEVICE_POLL_S),
  };
}

/** Polls the provider until the person has confirmed (sections 3.4 and 3.5). Between two requests, it waits for the
 * provider's interval, or longer if the provider requests that or a response was lost.
 * @param who `client_id`, and `resource` if the token is for a resource (RFC 8707 section 2.2) */
async function poll(
  runtime: Pick<Runtime, 'sleep' | 'now'>,
  queried: Requested,
  endpoint: string,
  who: Readonly<Record<string, string>>,
  { deviceCode, expiresIn, interval }: Exclude<Awaited<ReturnType<typeof authorize>>, string>,
): Promise<{ readonly accessToken: string } | { readonly error: string }> {
  const body = form({ grant_type: 'urn:ietf:params:oauth:grant-type:device_code', device_code: deviceCode, ...who });
  let pause = interval;
  // The time that the requests take counts too.
  for (const end = runtime.now() + expiresIn; runtime.now() + pause <= end; ) {
    await runtime.sleep(pause);
    const answer = await askUrl(queried, endpoint, body);
    const members = jsonOf(answer) ?? {};
    if ('error' in answer) pause *= 2;
    else if (answer.status === 200) {
      const { access_token: accessToken } = members;
      return typeof accessToken === 'string' && /^[\x21-\x7e]+$/.test(accessToken)
        ? { accessToken }
        : { error: 'the provider answered without an access token' };
    } else if (members.error === 'slow_down') pause += DEVICE_POLL_S;
    else if (members.error !== 'authorization_pending') {
      if (members.error === 'expired_token') break;
      return { error: `the provider issues no token (${answer.status}): ${errorText(members)}` };
    }
  }
  return { error: 'the code has expired; run the command again' };
}

const flags = {
  ...sourceFlags,
  provider: flag('NAME', 'The provider to ask, if the policy has several'),
  clientId: flag('ID', 'A public client for this command (default: the policy’s client)'),
  scope: flag('SCOPES', 'Scopes to request (default: openid; Entra: the audience’s .default)'),
  caFile: flag('FILE', 'CA of the provider’s certificate (default: the policy’s, or the system’s)'),
};

/** Returns the provider: the named one, or the only one at which people can get tokens. */
function providerOf({ providers }: Policy, { provider: name, clientId }: FlagsOf<typeof flags>): Provider {
  const all = Object.values(providers);
  if (name !== undefined) {
    const found = all.find((one) => one.name === name);
    if (found !== undefined) return found;
    throw new WrongUse(`the policy has no provider ${JSON.stringify(name)}; ${advise(name, Object.keys(providers))}`);
  }
  const able = all.filter(({ client }) => client !== undefined || clientId !== undefined);
  const [only] = able;
  if (only === undefined) throw new WrongUse('no provider of the policy has a client: give --client-id ID');
  if (able.length === 1) return only;
  throw new WrongUse(`give --provider NAME: ${able.map((one) => one.name).join(', ')}`);
}

/** Returns the scope or the resource with which the provider issues a token for the gateway. Entra chooses the audience
 * by the scope, and Okta by its authorization server. */
function requestedFor(
  { kind, audiences }: Provider,
  scope: string | undefined,
): { readonly scope: string; readonly resource?: string } {
  const [audience = ''] = audiences;
  // A resource is an absolute URI (RFC 8707). An audience in another form cannot be sent as a resource.
  const isResource = kind === 'generic' && /^[a-z][a-z0-9+.-]*:/i.test(audience);
  const usual = kind === 'entra' ? `${audience}/.default` : 'openid';
  return { scope: scope ?? usual, ...(isResource && { resource: audience }) };
}

/** `meshgate login`: gets a token for curl. The person can confirm in a browser on any machine. */
export const loginCommand = command({
  brief: 'Fetch a token for curl, with a browser',
  text: 'Signs in by the device flow (RFC 8628): shows an address and a code, waits until you have confirmed the code in a browser, and prints the access token. The policy checks the token first: a token that the gateway would reject is not printed, and the exit code is 1. The provider must allow the device flow to this client without a secret.',
  examples: [
    'meshgate login',
    'curl -H "Authorization: Bearer $(meshgate login --provider okta)" https://wiki.example.com/rest/api/content',
  ],
  flags,
  async run(runtime, flags) {
    const network = providerNetwork(runtime, 'login', flags.caFile);
    const loaded = loadValid(runtime, sourceOf(runtime, undefined, flags));
    const provider = providerOf(loaded.policy, flags);
    if (provider.audiences.length === 0) {
      throw new WrongUse(
        `provider ${provider.name} has no audiences: the gateway accepts only its sessions, no tokens`,
      );
    }
    const client = flags.clientId ?? provider.client?.id;
    if (client === undefined) throw new WrongUse(`provider ${provider.name} has no client: give --client-id ID`);
    const no = (text: string): number => {
      runtime.err(`${text}\n`);
      return NO;
    };
    const queried = withPolicyCa(runtime, network, provider, () =>
      runtime.err(
        `${provider.caFile} is not on this machine, so the CAs of the system are used; --ca-file names another file\n`,
      ),
    );
    const members = await discover(queried, provider.issuer);
    if (typeof members === 'string') return no(members);
    const endpoints = deviceEndpoints(members);
    if (typeof endpoints === 'string') return no(endpoints);
    const { scope, ...resource } = requestedFor(provider, flags.scope);
    const who = { client_id: client, ...resource };
    const begun = await authorize(queried, endpoints.device, { ...who, scope });
    if (typeof begun === 'string') return no(begun);
    runtime.err(`open ${begun.uri}\nand confirm the code ${begun.userCode}\n`);
    const token = await poll(runtime, queried, endpoints.token, who, begun);
    if ('error' in token) return no(token.error);
    const taken = new Offline(loaded.policy, runtime.now()).ofToken(token.accessToken, [provider.name]);
    if (!taken.ok) return no(`the gateway would reject this token: ${taken.reason}: ${detailOf(taken)}`);
    const { subject, roles } = taken.value.caller;
    runtime.err(`${foreign(subject)}; roles: ${roles.join(', ') || 'none'}\n`);
    runtime.out(`${token.accessToken}\n`);
    return YES;
  },
});
