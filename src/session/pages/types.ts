import type { ReasonCode } from '../../reasons.ts';
import type { Catalogues } from './language.ts';
import type { Template } from './template.ts';

/** A provider on the chooser page. */
export interface Choice {
  readonly name: string;
  /** The name that people know it by. */
  readonly label: string;
}

/** Details that a page shows in small print; all are optional. */
export interface PageAbout {
  /** The host of the request, without a port. */
  readonly host: string;
  readonly requestId?: string;
}

/** Asks which provider to sign in with: a link for each, and a field for the e-mail address if domains are
 * configured. */
export interface ChoosePage extends PageAbout {
  readonly kind: 'choose';
  readonly choices: readonly Choice[];
  /** Whether the provider can be found by the domain of an e-mail address. */
  readonly email: boolean;
  /** A person gave an address, but its domain has no provider. */
  readonly unknown?: boolean;
  /** The mode of the sign-in, as it stands in the URL: `in`, `step&role=NAME`. */
  readonly mode: string;
  /** Issuers that the form may lead to, for its Content-Security-Policy. */
  readonly issuers: readonly string[];
  /** The raw request target to return to. */
  readonly to: string;
}

/** A request, or a sign-in, was refused. */
export interface RefusedPage extends PageAbout {
  readonly kind: 'refused';
  readonly reason: ReasonCode;
  /** What was expected and what came, in English. It is safe to show. */
  readonly detail?: string;
  /** The person who is signed in. */
  readonly user?: string;
  /** The person or team to ask for access: an e-mail address, or a name. */
  readonly owner?: string;
  /** Template of a link by which people ask for access: `{reason}`, `{request_id}`, `{route}`. */
  readonly ask?: string;
  readonly route?: string;
  /** Raw request target that a new sign-in returns to; absent: the page offers no sign-in. */
  readonly retry?: string;
  /** Whether the page offers to sign out, since another account may have access. */
  readonly signOut?: boolean;
}

/** A form was sent without a valid session. The gateway does not send it again. */
export interface FormPage extends PageAbout {
  readonly kind: 'form';
  readonly reason: ReasonCode;
  /** The mode of the sign-in: `in`, `renew`, `step&role=NAME`. */
  readonly mode: string;
}

/** The person is already signed in: a second callback of one attempt, or an old tab. */
export interface SignedInPage extends PageAbout {
  readonly kind: 'signedin';
  /** Raw request target to continue with. */
  readonly to: string;
}

/** Asks whether to sign out, or whether to sign in to a host. The form posts. */
export interface ConfirmPage extends PageAbout {
  readonly kind: 'confirm';
  /** The sealed request of the host to sign in to; absent: the page asks whether to sign out. */
  readonly request?: string;
  /** Issuers that the form may lead to, for its Content-Security-Policy. */
  readonly issuers: readonly string[];
}

export interface SignedOutPage extends PageAbout {
  readonly kind: 'signedout';
  /** The provider offers no sign-out, so the session there goes on. */
  readonly here?: boolean;
}

/** The content of a page. */
export type Page = ChoosePage | RefusedPage | FormPage | SignedInPage | ConfirmPage | SignedOutPage;

/** What an operator's folder changes. The default is used for the rest. */
export interface Theme {
  readonly page?: Template;
  /** The stylesheet, and the name under {@link ASSETS_PATH} that holds its hash. */
  readonly style?: Asset;
  /** Whether pages may show pictures or fonts. */
  readonly pictures?: boolean;
  /** Texts that it replaces, and languages that it adds. */
  readonly texts?: Catalogues;
}

export interface Asset {
  readonly name: string;
  readonly text: string;
}

/** A page as it is sent: its body and all of its headers. */
export interface Rendered {
  readonly html: string;
  readonly headers: Readonly<Record<string, string>>;
}
