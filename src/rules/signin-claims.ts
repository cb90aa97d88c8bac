import type { Policy } from '../policy/types.ts';
import { providerKind, signinHelp } from '../providers/index.ts';
import { readPaths } from '../session/flow/userinfo.ts';
import { keptClaims } from './kept-claims.ts';
import { record } from './record.ts';
import type { SigninHelp } from './types.ts';

/** The claims that roles require and that ID tokens lack unless the provider is configured, by provider, each with what
 * to change there; undefined if there are none. */
export function signinClaims(policy: Policy): SigninHelp | undefined {
  const kept = keptClaims(policy, []);
  const all = Object.values(policy.providers).flatMap(({ name, kind }) => {
    const of = providerKind(kind);
    const helps = readPaths(kept, name).flatMap((path) => {
      const help = of && signinHelp(of, path);
      return help === undefined ? [] : [[path, help] as const];
    });
    return helps.length === 0 ? [] : [[name, helps] as const];
  });
  return all.length === 0 ? undefined : record(all);
}
