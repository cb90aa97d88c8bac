import type { SigninProvider } from '../signin-table.ts';

/** The provider for a sign-in, or the choice that the person must make. */
export type Chosen =
  | { readonly provider: SigninProvider; readonly hint?: string }
  /** @property unknown whether the person gave an address whose domain has no provider */
  | { readonly choose: readonly SigninProvider[]; readonly unknown: boolean };

/** What a request says about the provider. */
export interface Said {
  readonly provider?: string;
  readonly email?: string;
  /** The provider of the existing session, which is renewed or stepped up. */
  readonly current?: string;
}

const address = /^[^\s\x00-\x1f\x7f-\x9f@]{1,128}@([^\s\x00-\x1f\x7f-\x9f@]{1,255})$/;

/** The domain of an e-mail address in lower case; `undefined` if it is not one. */
function domainOf(email: string): string | undefined {
  return address.exec(email.trim())?.[1]?.toLowerCase();
}

/** Chooses among a host's providers: by name, by the domain of an e-mail address, by the existing session, or because
 * there is only one. */
export function chooseProvider(providers: readonly SigninProvider[], said: Said): Chosen {
  const { provider: name, email, current } = said;
  const named = providers.find((provider) => provider.name === name);
  if (named !== undefined) return { provider: named };
  if (email !== undefined) {
    const domain = domainOf(email);
    const of = domain === undefined ? undefined : providers.find(({ signin }) => signin.domains.includes(domain));
    if (of !== undefined) return { provider: of, hint: email.trim() };
    return { choose: providers, unknown: true };
  }
  const [only] = providers;
  if (only !== undefined && providers.length === 1) return { provider: only };
  const before = providers.find((provider) => provider.name === current);
  return before === undefined ? { choose: providers, unknown: false } : { provider: before };
}
