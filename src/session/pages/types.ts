import type { ReasonCode } from '../../base/reasons.ts';
import type { Catalogues } from './language.ts';
import type { Template } from './template.ts';

interface Choice {
  readonly name: string;
  /** The provider's name as people know it. */
  readonly label: string;
}

/** Details that a page shows in small print. All of them are optional. */
interface PageAbout {
  /** The host of the request, without a port. */
  readonly host: string;
  readonly requestId?: string | undefined;
}

/** The page on which a person chooses a provider. It has a link for each provider. If the policy has e-mail domains, it
 * also has a field for the e-mail address. */
export interface ChoosePage extends PageAbout {
  readonly kind: 'choose';
  readonly choices: readonly Choice[];
  /** Whether the provider can be found by the domain of an e-mail address. */
  readonly email: boolean;
  /** Whether the person entered an address whose domain has no provider. */
  readonly unknown?: boolean;
  /** The mode of the sign-in as it is in the URL: `in`, `step&role=NAME`. */
  readonly mode: string;
  /** Issuers to which the form may lead, for its Content-Security-Policy. */
  readonly issuers: readonly string[];
  /** The raw request target to which the sign-in returns. */
  readonly to: string;
}

export interface RefusedPage extends PageAbout {
  readonly kind: 'refused';
  readonly reason: ReasonCode;
  /** The expected value and the received value, in English. The text is safe to show. */
  readonly detail?: string | undefined;
  /** The person who is signed in. */
  readonly user?: string | undefined;
  /** The person or team that people ask for access: an e-mail address, or a name. */
  readonly owner?: string;
  /** Template of the link with which people ask for access: `{reason}`, `{request_id}`, `{route}`. */
  readonly ask?: string;
  readonly route?: string | undefined;
  /** The raw request target to which a new sign-in returns; absent: the page offers no sign-in. */
  readonly retry?: string | undefined;
  /** Whether the page offers to sign out, because another account may have access. */
  readonly signOut?: boolean;
}

/** The page for a form that was sent without a valid session. The gateway does not send the form again. */
export interface FormPage extends PageAbout {
  readonly kind: 'form';
  readonly reason: ReasonCode;
  /** The mode of the sign-in: `in`, `renew`, `step&role=NAME`. */
  readonly mode: string;
}

/** The page for a person who is already signed in, after a second callback of one attempt or from an old tab. */
export interface SignedInPage extends PageAbout {
  readonly kind: 'signedin';
  /** The raw request target where the person continues. */
  readonly to: string;
}

/** The page that asks whether to sign out, or whether to sign in to a host. Its form is sent by POST. */
export interface ConfirmPage extends PageAbout {
  readonly kind: 'confirm';
  /** The sealed request of the host to which the person signs in; absent: the page asks whether to sign out. */
  readonly request?: string;
  /** Issuers to which the form may lead, for its Content-Security-Policy. */
  readonly issuers: readonly string[];
}

export interface SignedOutPage extends PageAbout {
  readonly kind: 'signedout';
  /** Whether the provider offers no sign-out, so that the session at the provider continues. */
  readonly here?: boolean;
}

export type Page = ChoosePage | RefusedPage | FormPage | SignedInPage | ConfirmPage | SignedOutPage;

/** The parts that an operator's folder changes. All other parts are the default. */
export interface Theme {
  readonly page?: Template;
  /** The stylesheet. Its name under {@link ASSETS_PATH} contains its hash. */
  readonly style?: Asset;
  /** Whether pages may show pictures or fonts. */
  readonly pictures?: boolean;
  /** Texts that the folder replaces, and languages that it adds. */
  readonly texts?: Catalogues;
}

export interface Asset {
  readonly name: string;
  readonly text: string;
}

export interface Rendered {
  readonly html: string;
  readonly headers: Readonly<Record<string, string>>;
}
