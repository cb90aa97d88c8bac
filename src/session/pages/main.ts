import { type ReasonCode, reasons } from '../../base/reasons.ts';
import { SIGNIN_PATH, SIGNOUT_PATH } from '../names.ts';
import { type Html, html } from './escape.ts';
import type { Language } from './language.ts';
import { askHref, linkTo, ownerHref, signinFields, signinHref } from './links.ts';
import type { TextName } from './texts/en.ts';
import type { ChoosePage, ConfirmPage, FormPage, Page, RefusedPage, SignedInPage, SignedOutPage } from './types.ts';

/** The main part of a page: the title, which is also the heading, and the content below it. */
interface Reported {
  readonly title: string;
  readonly body: Html;
}

const button = (href: string, text: string, quiet = false): Html =>
  html`<li><a class="${quiet ? 'button quiet' : 'button'}" href="${href}">${text}</a></li>`;

const actions = (items: readonly (Html | undefined)[]): Html | undefined => {
  const there = items.filter((item) => item !== undefined);
  return there.length === 0 ? undefined : html`<ul class="actions">${there}</ul>`;
};

function choose({ host, choices, email, unknown, mode, to }: ChoosePage, { text }: Language): Reported {
  const links = choices.map(
    ({ name, label }) =>
      html`<li><a class="button" href="${signinHref(mode, to, name)}">${text('choose.with', { label })}</a></li>`,
  );
  const fields = signinFields(mode, to).map(
    ([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`,
  );
  const [before, last] = [fields.slice(0, -1), fields.slice(-1)];
  const form = html`<h2>${text('choose.or')}</h2>
<form method="get" action="${SIGNIN_PATH}">
${before}<label for="email">${text('choose.email')}</label>
<input id="email" name="email" type="email" autocomplete="email" required${
    unknown ? html` aria-describedby="unknown" aria-invalid="true"` : undefined
  }>
${last}<button>${text('choose.next')}</button>
</form>`;
  return {
    title: text('choose.title'),
    body: html`<p>${text('choose.text', { host })}</p>
${unknown ? html`<p class="wrong" id="unknown" role="alert">${text('choose.unknown')}</p>` : undefined}
<ul class="choices">${links}</ul>
${email ? form : undefined}`,
  };
}

/** Titles of refusals. All other refusals have the title of their status. */
const TITLES: Readonly<Partial<Record<ReasonCode, TextName>>> = {
  attempt_unknown: 'failed.title',
  signin_failed: 'failed.title',
  claim_absent: 'failed.title',
  step_up_required: 'stepup.title',
  route_unknown: 'notfound.title',
};

function titleOf(reason: ReasonCode): TextName {
  const title = TITLES[reason];
  if (title !== undefined) return title;
  const { status } = reasons[reason];
  if (status === 503 || status === 429) return 'later.title';
  if (status === 401) return 'signin.title';
  return status === 403 ? 'denied.title' : 'request.title';
}

/** Refusals that a new sign-in may solve. After the sign-in the request is repeated. */
const SIGNIN_HELPS: readonly ReasonCode[] = [
  'credential_missing',
  'session_expired',
  'revoked',
  'attempt_unknown',
  'signin_failed',
  'credential_duplicate',
];

/** Refusals after which the same request may pass at a later time. */
const TRY_AGAIN: readonly ReasonCode[] = ['attempt_unknown', 'limit_exceeded'];

function retryOf({ reason, retry }: RefusedPage, { text }: Language): Html | undefined {
  if (retry === undefined) return undefined;
  if (TRY_AGAIN.includes(reason) || reasons[reason].status === 503) return button(linkTo(retry), text('do.again'));
  if (!SIGNIN_HELPS.includes(reason)) return undefined;
  return button(signinHref('in', retry), text(reason === 'signin_failed' ? 'do.again' : 'do.signin'));
}

function refused(page: RefusedPage, language: Language): Reported {
  const { reason, ask, route, requestId, signOut } = page;
  const { text } = language;
  const help = language.maybe(`reason.${reason}`);
  const asks = ask === undefined ? undefined : askHref(ask, { reason, request_id: requestId, route });
  const askText = text(reasons[reason].status === 403 ? 'do.ask' : 'do.report');
  return {
    title: text(titleOf(reason)),
    body: html`${help === undefined ? html`<p lang="en">${reasons[reason].help}</p>` : html`<p>${help}</p>`}
${actions([
  retryOf(page, language),
  asks === undefined ? undefined : button(asks, askText),
  signOut ? button(SIGNOUT_PATH, text('do.other'), true) : undefined,
])}`,
  };
}

function form({ reason, mode }: FormPage, { text }: Language): Reported {
  const first = html`<a href="${signinHref(mode, '/')}" target="_blank" rel="noopener">${text('form.first')}</a>`;
  return {
    title: text('form.title'),
    body: html`<p>${text(reason === 'step_up_required' ? 'form.stepup' : 'form.text')}</p>
<ol><li>${first}</li><li>${text('form.then')}</li></ol>`,
  };
}

function signedIn({ to }: SignedInPage, { text }: Language): Reported {
  return {
    title: text('signedin.title'),
    body: html`<p>${text('signedin.text')}</p>${actions([button(linkTo(to), text('signedin.go'))])}`,
  };
}

function confirm({ host, request }: ConfirmPage, { text }: Language): Reported {
  if (request !== undefined) {
    return {
      title: text('signinto.title', { host }),
      body: html`<p>${text('signinto.text', { host })}</p>
<form method="post" action="${`${SIGNIN_PATH}?for=${request}`}">
<ul class="actions"><li><button>${text('signinto.yes')}</button></li></ul>
</form>`,
    };
  }
  return {
    title: text('confirm.title'),
    body: html`<p>${text('confirm.text', { host })}</p>
<form method="post" action="${SIGNOUT_PATH}">
<ul class="actions"><li><button>${text('confirm.yes')}</button></li>${button('/', text('confirm.no'), true)}</ul>
</form>`,
  };
}

function signedOut({ host, here }: SignedOutPage, { text }: Language): Reported {
  return {
    title: text('signedout.title'),
    body: html`<p>${text('signedout.text', { host })}</p>
${here ? html`<p>${text('signedout.here')}</p>` : undefined}
${actions([button('/', text('signedout.again'))])}`,
  };
}

type Writer<K> = (page: Extract<Page, { kind: K }>, language: Language) => Reported;

const writers: { readonly [K in Page['kind']]: Writer<K> } = {
  choose,
  refused,
  form,
  signedin: signedIn,
  confirm,
  signedout: signedOut,
};

const entry = (name: string, value: Html): Html => html`<dt>${name}</dt><dd>${value}</dd>`;

/** Returns the small print: the data that a person must report when they ask for help. */
function about(page: Page, { text }: Language): Html | undefined {
  const entries: Html[] = [];
  const { owner, user } = page.kind === 'refused' ? page : {};
  if (user !== undefined) entries.push(entry(text('about.user'), html`${user}`));
  const mail = owner && ownerHref(owner);
  if (owner !== undefined)
    entries.push(entry(text('about.owner'), mail ? html`<a href="${mail}">${owner}</a>` : html`${owner}`));
  if ('reason' in page) entries.push(entry(text('about.reason'), html`<code>${page.reason}</code>`));
  if ('detail' in page && page.detail !== undefined && page.detail !== reasons[page.reason].help) {
    entries.push(entry(text('about.detail'), html`<span lang="en">${page.detail}</span>`));
  }
  if (page.requestId !== undefined) entries.push(entry(text('about.request'), html`<code>${page.requestId}</code>`));
  return entries.length === 0 ? undefined : html`<dl>${entries}</dl>`;
}

export function mainOf(page: Page, language: Language): { readonly title: string; readonly main: Html } {
  const { title, body } = (writers[page.kind] as Writer<unknown>)(page, language);
  return { title, main: html`<h1>${title}</h1>\n${body}\n${about(page, language)}` };
}
