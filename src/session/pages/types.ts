import type { ReasonCode } from '../../reasons.ts';
import type { Catalogues } from './language.ts';
import type { Template } from './template.ts';

/** A provider on the chooser page. */
export interface Choice {
  readonly name: string;
  /** What people know it by. */
  readonly label: string;
}

/** What a page says beside its own: all optional, shown in small print. */
export interface PageAbout {
  /** The host that the browser asked, without a port. */
  readonly host: string;
  readonly requestId?: string;
}

/** Through which provider: links for each, and a field for the e-mail address where domains are set. */
export interface ChoosePage extends PageAbout {
  readonly kind: 'choose';
  readonly choices: readonly Choice[];
  /** Whether the provider can be found by the domain of an e-mail address. */
  readonly email: boolean;
  /** An address was given, and no provider is for its domain. */
  readonly unknown?: boolean;
  /** The mode of the sign-in, as it stands in the URL: `in`, `step&role=NAME`. */
  readonly mode: string;
  /** Issuers that the form may lead to, for its Content-Security-Policy. */
  readonly issuers: readonly string[];
  /** The raw request target to come back to. */
  readonly to: string;
}

/** A request, or a sign-in, was refused. */
export interface RefusedPage extends PageAbout {
  readonly kind: 'refused';
  readonly reason: ReasonCode;
  /** What was expected and what came, safe to show, in English. */
  readonly detail?: string;
  /** Who is signed in. */
  readonly user?: string;
  /** Whom to ask: an e-mail address, or a name. */
  readonly owner?: string;
  /** Template of a link for asking: `{reason}`, `{request_id}`, `{route}`. */
  readonly ask?: string;
  readonly route?: string;
  /** Raw request target that a new sign-in comes back to; absent: none is offered. */
  readonly retry?: string;
  /** Whether the page offers to sign out, since another account may be allowed. */
  readonly signOut?: boolean;
}

/** A form was sent without a session that holds: it is not sent again by us. */
export interface FormPage extends PageAbout {
  readonly kind: 'form';
  readonly reason: ReasonCode;
  /** The mode of the sign-in: `in`, `renew`, `step&role=NAME`. */
  readonly mode: string;
}

/** Somebody is signed in already: a second callback of one attempt, or an old tab. */
export interface SignedInPage extends PageAbout {
  readonly kind: 'signedin';
  /** Raw request target to go on to. */
  readonly to: string;
}

/** Asks whether to sign out, or whether to sign in to a host; the form posts. */
export interface ConfirmPage extends PageAbout {
  readonly kind: 'confirm';
  /** The sealed request of the host to sign in to; absent: it is asked whether to sign out. */
  readonly request?: string;
  /** Issuers that the form may lead to, for its Content-Security-Policy. */
  readonly issuers: readonly string[];
}

export interface SignedOutPage extends PageAbout {
  readonly kind: 'signedout';
  /** The provider has no sign-out of its own that we could ask: its session goes on. */
  readonly here?: boolean;
}

/** What a page says. */
export type Page = ChoosePage | RefusedPage | FormPage | SignedInPage | ConfirmPage | SignedOutPage;

/** What an operator's folder changes; what is missing there is ours. */
export interface Theme {
  readonly page?: Template;
  /** The stylesheet, and the name under {@link ASSETS_PATH} that holds its hash. */
  readonly style?: Asset;
  /** It has pictures or fonts, so that a page may show them. */
  readonly pictures?: boolean;
  /** Texts of ours that it says otherwise, and languages that it adds. */
  readonly texts?: Catalogues;
}

export interface Asset {
  readonly name: string;
  readonly text: string;
}

/** A page as it is sent: its body, and all of its headers. */
export interface Rendered {
  readonly html: string;
  readonly headers: Readonly<Record<string, string>>;
}
