import type { SigninProvider } from '../signin-table.ts';

/** The provider for a sign-in, or the providers among which the person must choose. */
type Chosen =
  | { readonly provider: SigninProvider; readonly hint?: string }
  /** @property unknown whether the domain of the person's e-mail address has no provider */
  | { readonly choose: readonly SigninProvider[]; readonly unknown: boolean };

export interface ChoiceInput {
  readonly provider?: string;
  readonly email?: string;
  /** The provider of the existing session. A renewal or a step-up stays with it. */
  readonly current?: string;
}

const address = /^[^\s\x00-\x1f\x7f-\x9f@]{1,128}@([^\s\x00-\x1f\x7f-\x9f@]{1,255})$/;

/** Returns the domain of an e-mail address in lower case; `undefined` for any other text. */
const domainOf = (email: string): string | undefined => address.exec(email.trim())?.[1]?.toLowerCase();

/** Chooses a provider of a host: its only provider, or by a name, an e-mail address or the existing session. */
export function chooseProvider(providers: readonly SigninProvider[], reported: ChoiceInput): Chosen {
  const { provider: name, email, current } = reported;
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
