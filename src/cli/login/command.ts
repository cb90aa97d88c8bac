import { foreign } from '../../base/hostile-text.ts';
import { detailOf } from '../../base/reasons.ts';
import type { Policy, Provider } from '../../policy/checked/types.ts';
import { advise } from '../../policy/read/suggest.ts';
import { command, type FlagsOf, flag, NO, WrongUse, YES } from '../common/context.ts';
import { loadValid } from '../common/load.ts';
import { discover, providerNetwork, withPolicyCa } from '../common/provider.ts';
import { sourceFlags, sourceOf } from '../common/source.ts';
import { Offline } from '../decide/offline.ts';
import { authorize, deviceEndpoints, poll } from './device.ts';

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
function askedFor(
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
    const asked = withPolicyCa(runtime, network, provider, () =>
      runtime.err(
        `${provider.caFile} is not on this machine, so the CAs of the system are used; --ca-file names another file\n`,
      ),
    );
    const members = await discover(asked, provider.issuer);
    if (typeof members === 'string') return no(members);
    const endpoints = deviceEndpoints(members);
    if (typeof endpoints === 'string') return no(endpoints);
    const { scope, ...resource } = askedFor(provider, flags.scope);
    const who = { client_id: client, ...resource };
    const begun = await authorize(asked, endpoints.device, { ...who, scope });
    if (typeof begun === 'string') return no(begun);
    runtime.err(`open ${begun.uri}\nand confirm the code ${begun.userCode}\n`);
    const token = await poll(runtime, asked, endpoints.token, who, begun);
    if ('error' in token) return no(token.error);
    const taken = new Offline(loaded.policy, runtime.now()).ofToken(token.accessToken, [provider.name]);
    if (!taken.ok) return no(`the gateway would reject this token: ${taken.reason}: ${detailOf(taken)}`);
    const { subject, roles } = taken.value.caller;
    runtime.err(`${foreign(subject)}; roles: ${roles.join(', ') || 'none'}\n`);
    runtime.out(`${token.accessToken}\n`);
    return YES;
  },
});
