import type { Result } from '../../base/reasons.ts';
import type { Policy, Provider } from '../../policy/checked/types.ts';
import { confirmed } from '../../token/introspection.ts';
import type { Claims } from '../../token/types.ts';
import { WrongUse } from '../common/context.ts';
import type { Loaded } from '../common/load.ts';
import { checkedOnline } from '../common/provider-keys.ts';
import { Offline } from '../decide/offline.ts';
import type { Runtime } from '../machine/runtime.ts';
import { introspectOnline } from './ask-provider.ts';
import { introspectedReport, refusedReport, type Signature, type Taken, type TokenReport } from './described.ts';

/** Rejects a token without an issuer if there are several providers: it must not be sent to all of them. */
function checkOne({ providers }: Policy, { form }: TokenReport, { names }: Taken): void {
  const asked = names.filter((name) => providers[name]?.introspection !== undefined);
  if (form === 'jwt' || asked.length < 2) return;
  const all = asked.join(', ');
  throw new WrongUse(
    `the token does not name its provider, and ${all} are asked about such tokens: add METHOD and URL`,
  );
}

/** Returns the report on a JWT that its provider must also confirm as active. */
function confirmedReport(report: TokenReport, provider: Provider, said: Result<Claims>, now: number): TokenReport {
  if (!said.ok) return refusedReport(report, said);
  const verified = report.asker?.claimed?.facts.verified;
  const until = now + (provider.introspection?.cache ?? 0);
  const held = verified && confirmed(verified, said.value, provider, until);
  return held === undefined || held.ok ? { ...report, active: true } : { ...refusedReport(report, held), active: true };
}

/** Fetches the provider's keys or asks the provider about the token, as the gateway does.
 * @param report the report on the token's text
 * @param now seconds since the epoch
 * @param caFile the value of `--ca-file`
 * @returns the report, and the result for the signature if such tokens are verified with a key */
export async function askedReport(
  runtime: Runtime,
  loaded: Loaded,
  text: string,
  report: TokenReport,
  taken: Taken,
  now: number,
  caFile?: string,
): Promise<{ readonly report: TokenReport; readonly signature?: Signature }> {
  const { policy } = loaded;
  const asked = new Offline(policy, now).askedAbout(text, taken.names);
  if (asked !== undefined) {
    checkOne(policy, report, taken);
    const said = await introspectOnline(runtime, policy.providers[asked] as Provider, text, caFile);
    return { report: introspectedReport(loaded, text, report, asked, said, taken, now) };
  }
  if (report.form !== 'jwt') return { report };
  if (report.provider === undefined) return { report, signature: 'not checked' };
  const signer = await checkedOnline(runtime, text, policy, report.provider, caFile);
  if (!signer.ok) return { report, signature: signer };
  const signature = { key: signer.value.kid ?? signer.value.thumbprint };
  const provider = policy.providers[report.provider] as Provider;
  if (!provider.introspection?.jwts || report.refused !== undefined) return { report, signature };
  const said = await introspectOnline(runtime, provider, text, caFile);
  return { report: confirmedReport(report, provider, said, now), signature };
}
