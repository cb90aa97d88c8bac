import type { SigninProvider } from '../signin-table.ts';

/** Which provider somebody signs in through, or that they have to say. */
export type Chosen =
  | { readonly provider: SigninProvider; readonly hint?: string }
  /** @property unknown whether an address was given that no provider is for */
  | { readonly choose: readonly SigninProvider[]; readonly unknown: boolean };

/** What a request says of it. */
export interface Said {
  readonly provider?: string;
  readonly email?: string;
  /** Of a session that is there, and is renewed or stepped up. */
  readonly current?: string;
}

const address = /^[^\s\x00-\x1f\x7f-\x9f@]{1,128}@([^\s\x00-\x1f\x7f-\x9f@]{1,255})$/;

/** The domain of an e-mail address, lower case; `undefined` for what is none. */
function domainOf(email: string): string | undefined {
  return address.exec(email.trim())?.[1]?.toLowerCase();
}

/**
 * Chooses among a host's providers: by name, by the domain of an e-mail address, by the session that is there, or since
 * there is only one.
 */
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
