import type { Policy, Provider } from '../../policy/checked/types.ts';
import { signinClaims } from '../../rules/table/kept-claims.ts';
import { isKeyless } from '../../rules/table/table.ts';
import type { SigninHelp } from '../../rules/types.ts';
import { algorithms } from '../../token/keys/algorithms.ts';
import { discoveryUrl } from '../../token/keys/discovery.ts';
import { chooseKeys } from '../../token/signature.ts';
import type { Paint } from '../common/print.ts';
import { discover, type Members, networkTo, publishedKeys, type Requested } from '../common/provider.ts';
import type { Runtime } from '../machine/runtime.ts';
import { bad, type Finding, good, introspectionFindings, proofFindings, signinFindings } from './offers.ts';

/** What a provider publishes, compared with what the policy requires. */
export interface ProviderFindings {
  readonly provider: string;
  readonly findings: readonly Finding[];
}

async function keyFindings(queried: Requested, provider: Provider, members: Members): Promise<readonly Finding[]> {
  const set = await publishedKeys(queried, provider, members);
  if (!set.ok) return [bad(`keys: ${set.error}`)];
  const usable = provider.algorithms.filter((alg) => {
    const entry = algorithms.get(alg);
    return entry !== undefined && chooseKeys({ alg }, entry, set.keys).ok;
  });
  const of = `${set.keys.length} published`;
  return [
    usable.length > 0
      ? good(`keys: ${of}, for ${usable.join(', ')}`)
      : bad(`keys: ${of}, none for ${provider.algorithms.join(', ')}; write algorithms: […]`),
    ...set.warnings.map((text) => ({ text: `keys: ${text}` })),
  ];
}

/** Returns a finding for each claim that roles read and that ID tokens can lack. No document shows whether they do. */
const claimFindings = (help: SigninHelp[string]): readonly Finding[] =>
  help.map(([claim, what]) => ({ text: `sign-in: roles depend on "${claim}"; ${what}` }));

/** Reports an issuer whose name this machine knows, but DNS does not. nginx asks only DNS servers. */
async function nameFindings(
  { inDns }: Runtime,
  { issuer, jwksUri, signin }: Provider,
  resolver: readonly string[],
): Promise<readonly Finding[]> {
  const name = /^https:\/\/([^:/]+)/.exec(issuer)?.[1];
  const isQueried = jwksUri === undefined || signin !== undefined;
  if (!isQueried || name === undefined || inDns === undefined || (await inDns(name, resolver)) !== false) return [];
  const text = `name: no DNS server knows ${name}, and nginx reads neither /etc/hosts nor a search list; add it to DNS, or write the DNS servers that know it as gateway.resolver`;
  return [bad(text)];
}

/** Compares one provider with the policy. If its own discovery document is missing, nothing else can be checked. */
async function findingsOf(
  queried: Requested,
  provider: Provider,
  needsProof: boolean,
  help: SigninHelp = {},
): Promise<readonly Finding[]> {
  const members = await discover(queried, provider.issuer);
  const isAbsent = typeof members === 'string';
  const isKnown = provider.jwksUri !== undefined || isKeyless(provider);
  const own = isAbsent ? {} : members;
  return [
    // If the policy has all endpoints and people do not sign in, the gateway does not fetch this document either.
    isAbsent
      ? { ...(!(isKnown && provider.signin === undefined) && { ok: false }), text: `discovery: ${members}` }
      : good(`discovery: ${discoveryUrl(provider.issuer)}`),
    ...(isKeyless(provider) || (isAbsent && !isKnown) ? [] : await keyFindings(queried, provider, own)),
    ...(isAbsent ? [] : signinFindings(own, provider)),
    ...claimFindings(Object.hasOwn(help, provider.name) ? (help[provider.name] as SigninHelp[string]) : []),
    ...(isAbsent && provider.introspection?.endpoint === undefined ? [] : introspectionFindings(own, provider)),
    ...(isAbsent ? [] : proofFindings(own, needsProof)),
  ];
}

/** Compares all providers of a policy with the policy, at the same time. */
export function askProviders(runtime: Runtime, policy: Policy, caFile?: string): Promise<readonly ProviderFindings[]> {
  const needsProof = policy.gateway.proof !== undefined;
  const help = signinClaims(policy);
  return Promise.all(
    Object.values(policy.providers).map(async (provider) => {
      const queried = networkTo(runtime, 'validate', provider, caFile);
      const findings = await findingsOf(queried, provider, needsProof, help);
      const names = await nameFindings(runtime, provider, policy.gateway.resolver);
      return { provider: provider.name, findings: [...findings, ...names] };
    }),
  );
}

/** Whether one of the findings is an error. */
export const hasFaults = (found: readonly ProviderFindings[], files: readonly Finding[]): boolean =>
  [...found.flatMap(({ findings }) => findings), ...files].some(({ ok }) => ok === false);

function findingText({ ok, text }: Finding, paint: Paint): string {
  const mark = ok === undefined ? '   ' : ok ? paint('good', 'yes') : paint('bad', 'no ');
  return `${mark} ${text}\n`;
}

/** Returns the findings as text, one finding per line: those of providers, then those about files. */
export function findingsText(found: readonly ProviderFindings[], files: readonly Finding[], paint: Paint): string {
  const ofProviders = found.flatMap(({ provider, findings }) =>
    findings.map(({ text, ...rest }) => ({ ...rest, text: `${provider}: ${text}` })),
  );
  return [...ofProviders, ...files].map((finding) => findingText(finding, paint)).join('');
}
