import type { Fact } from '../policy/types.ts';
import type { Claims, TokenProvider } from '../token/types.ts';

/** Who asks, as far as the rules are concerned. */
export interface Caller {
  readonly provider: string;
  /** The subject claim with the provider's prefix. */
  readonly subject: string;
  /** Only if the provider says it is verified and it has exactly one `@`. */
  readonly email?: string;
  readonly name?: string;
  /** In the order in which the policy defines them. */
  readonly roles: readonly string[];
  readonly groups: readonly string[];
  readonly scopes: readonly string[];
  /** Only the claims that the policy's headers name. */
  readonly claims: Claims;
}

/** What of the rendered policy says who a caller is; the whole table is one. */
export interface CallerTable {
  readonly providers: Readonly<Record<string, TokenProvider>>;
  /** Name and fact, in the policy's order. */
  readonly roles: readonly (readonly [name: string, fact: Fact])[];
  /** Claims that headers name. */
  readonly claims: readonly string[];
}
