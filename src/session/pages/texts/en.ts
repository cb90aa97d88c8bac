/** The English texts of the pages. The other languages have the same names. `{host}` and similar parts are replaced. */
export const en = {
  'choose.title': 'Sign in',
  'choose.text': 'Choose how you sign in to {host}.',
  'choose.with': 'Continue with {label}',
  'choose.or': 'Or with your e-mail address',
  'choose.email': 'E-mail address',
  'choose.next': 'Next',
  'choose.unknown': 'No sign-in is set up for this address. Check its spelling, or choose from the list.',

  'denied.title': 'You may not open this page',
  'signin.title': 'Please sign in',
  'stepup.title': 'Please sign in again',
  'notfound.title': 'There is no such page',
  'failed.title': 'You could not be signed in',
  'request.title': 'This request cannot be answered',
  'later.title': 'Please try again shortly',

  'form.title': 'Your input was not sent',
  'form.text': 'You are not signed in any more, so what you sent was not passed on. It is not lost:',
  'form.stepup': 'What you sent needs a newer or stronger sign-in, so it was not passed on. It is not lost:',
  'form.first': 'Sign in in another tab.',
  'form.then': 'Come back to this tab and reload it. When your browser asks whether to send the form again, agree.',

  'signedin.title': 'You are signed in',
  'signedin.text': 'This sign-in is finished already.',
  'signedin.go': 'Go on',

  'confirm.title': 'Sign out?',
  'confirm.text': 'You will be signed out of {host}, and of the sign-in service where it allows that.',
  'confirm.yes': 'Sign out',
  'confirm.no': 'Stay signed in',

  'signinto.title': 'Sign in to {host}?',
  'signinto.text': 'Go on only if you opened {host} yourself. If a link or another page led you here, close this page.',
  'signinto.yes': 'Sign in',

  'signedout.title': 'You are signed out',
  'signedout.text': 'Your session on {host} has ended.',
  'signedout.here':
    'You may still be signed in at the sign-in service. On a shared computer, sign out there as well, or close the browser.',
  'signedout.again': 'Sign in again',

  'do.signin': 'Sign in',
  'do.again': 'Try again',
  'do.ask': 'Ask for access',
  'do.report': 'Report this',
  'do.other': 'Use another account',
  'about.user': 'You are signed in as',
  'about.owner': 'Whom to ask',
  'about.reason': 'Reason',
  'about.detail': 'Detail',
  'about.request': 'Request id',

  'reason.role_missing': 'You are signed in, but none of your roles may do this here.',
  'reason.actor_not_allowed': 'The service that asked for you may not do so here.',
  'reason.limit_exceeded': 'You have opened more pages in a short time than is allowed here. Wait a moment.',
  'reason.origin_refused':
    'A page of another site sent this with your session, your certificate or your network. Open the page of this site and try there.',
  'reason.credential_missing': 'This page is for people who have signed in.',
  'reason.session_expired': 'Your session has ended.',
  'reason.step_up_required': 'This page needs a newer or stronger sign-in than yours.',
  'reason.revoked': 'You were signed out, by yourself elsewhere or by an administrator.',
  'reason.attempt_unknown':
    'This sign-in began in another browser, is too old, or is already finished. Open the page that you wanted again.',
  'reason.signin_failed': 'The sign-in service did not sign you in, or its response is not valid.',
  'reason.provider_unavailable': 'The sign-in service cannot be reached at the moment.',
  'reason.claim_absent': 'The sign-in service says too little about you.',
  'reason.credential_duplicate': 'Your browser sent two sessions. Delete the cookies of this site and sign in again.',
  'reason.route_unknown': 'Check the address for a mistake.',
  'reason.host_unknown': 'Nothing is served under this name.',
  'reason.path_not_canonical': 'The address is spelled in a way that could mean two pages.',
  'reason.request_malformed': 'The server could not read the request.',
  'reason.header_too_large':
    'Your browser sent more cookies than this site accepts. Another site of the same domain may have set them. Delete the cookies of this site and of its domain, and open the page again.',
  'reason.check_unavailable': 'The server could not decide whether you may open this page, so it stays closed.',
  'reason.assertion_unavailable': 'The server cannot vouch for you at the moment, so the page stays closed.',
} as const;

export type TextName = keyof typeof en;

export type Texts = Readonly<Record<TextName, string>>;
