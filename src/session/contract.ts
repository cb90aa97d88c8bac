/**
 * What the check asks of the sign-in's side, over the unix socket of the check's server, about a session that is not
 * fresh any more: `POST /.meshgate/renew` with these headers.
 */
export const RENEW_HEADERS = {
  /** The host whose cookie it is. */
  host: 'X-Meshgate-Host',
  /** The cookie's text. */
  session: 'X-Meshgate-Session',
  /** `1`: answer when the provider has answered; `0`: answer at once and go on. */
  wait: 'X-Meshgate-Wait',
} as const;

/** What the answer means, by its status. Any other answer, or none, is taken as `alone`. */
export const RENEWED = {
  /** The body is the newer cookie's text. */
  renewed: 200,
  /** The provider is asked now; the old cookie stands meanwhile. */
  going: 202,
  /** There is no record here, or the provider is away: the old cookie stands until its hard end. */
  alone: 204,
  /** The provider ended it. */
  ended: 401,
  /** Its time is over, and the provider did not confirm the claims: a page goes there, all else is refused. */
  stale: 409,
} as const;

/** How a refused navigation goes to sign-in: value of `X-Meshgate-Signin`, the query of the sign-in's URL before `&to=`. */
export type SigninMode = 'in' | 'renew' | `step&role=${string}`;

/**
 * What nginx says to each handler of the sign-in, beside what it passes of the browser's own: of `Cookie` our
 * cookies alone, unless they stand among others in a line that is more than a browser's, `Origin`, `Sec-Fetch-Site`, `Sec-Fetch-Mode`, `Sec-Fetch-Dest`, `Sec-Purpose`, `Accept`,
 * `Accept-Language`, and with a body its `Content-Type`. What is empty is not sent.
 */
export const HANDLER_HEADERS = {
  /** The host as the policy has it; of a wildcard, the one that was asked. */
  host: 'X-Meshgate-Host',
  /** The query as it came, without `?`: it is in no URL, for nginx's error log shows those. */
  query: 'X-Meshgate-Query',
  requestId: 'X-Meshgate-Request-Id',
  /** `get` or `post` where a browser shows what is answered as a page. */
  navigation: 'X-Meshgate-Navigation',
} as const;

/** What it says besides to `/.meshgate/page/REASON`, which shows a refusal, and answers with its status. */
export const PAGE_HEADERS = {
  /** Absent: the reason's own. */
  status: 'X-Meshgate-Status',
  /** Escaped for a JSON string. */
  detail: 'X-Meshgate-Detail',
  /** The route's name; absent: no route was found. */
  route: 'X-Meshgate-Route',
  /** The {@link SigninMode} where a sign-in would help. */
  signin: 'X-Meshgate-Signin',
  /** The raw request target. */
  target: 'X-Meshgate-Target',
  /** Who was refused, where that is known. */
  user: 'X-Meshgate-User',
} as const;

/** What each answer of a handler that refuses says to nginx, for its log: the reason that the page shows. */
export const REASON_HEADER = 'X-Meshgate-Reason';

/**
 * What the JavaScript says to the egress server of a call to a provider that has a client; the body goes as it is.
 * etcd's endpoint N is under `/etcd/N/` there, with etcd's own paths, by POST: `/etcd/0/v3/kv/range`.
 */
export const EGRESS_HEADERS = {
  /** Without any secret: nginx's error log shows it. */
  url: 'X-Meshgate-Url',
  /** `GET` or `POST`; absent: GET. */
  method: 'X-Meshgate-Method',
  contentType: 'X-Meshgate-Content-Type',
  authorization: 'X-Meshgate-Authorization',
  /** Absent: `application/json`. */
  accept: 'X-Meshgate-Accept',
  /** Of the answer: how long it took to be connected; no number where that failed, so that nothing was sent. */
  reached: 'X-Meshgate-Reached',
  /** Of the answer: the address that was connected to. */
  address: 'X-Meshgate-Connected',
} as const;
