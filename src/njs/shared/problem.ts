import { FROM_HANDLER, TO_HANDLER } from '../../base/internal-headers.ts';
import { detailOf, type Refusal, reasons } from '../../base/reasons.ts';
import { plainChallenge } from '../../rules/decide/challenge.ts';

const titles: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  421: 'Misdirected Request',
  429: 'Too Many Requests',
  503: 'Service Unavailable',
};

/** Answers with JSON, and forbids caching. */
export function sendJson(r: NginxHTTPRequest, status: number, type: string, body: unknown): void {
  r.headersOut['Content-Type'] = type;
  r.headersOut['Cache-Control'] = 'no-store';
  r.headersOut['X-Content-Type-Options'] = 'nosniff';
  respond(r, status, JSON.stringify(body));
}

/** Refuses a request as the check does: with a problem document (RFC 9457), and a challenge with each 401. */
export function sendProblem(r: NginxHTTPRequest, realm: string, refusal: Refusal): void {
  const { reason } = refusal;
  const { status } = reasons[reason];
  if (status === 401) r.headersOut['WWW-Authenticate'] = plainChallenge(realm);
  r.headersOut[FROM_HANDLER.reason] = reason;
  const reported = { title: titles[status], status, reason, detail: detailOf(refusal) };
  sendJson(r, status, 'application/problem+json', { ...reported, request_id: r.headersIn[TO_HANDLER.requestId] });
}

/** Answers. `r.return` throws if the other side has closed its connection. Then nothing is left to do.
 * @param what the other side, or its request, for the log */
export function respond(r: NginxHTTPRequest, status: number, body: string, what = 'a browser'): void {
  try {
    r.return(status, body);
  } catch (error) {
    ngx.log(ngx.INFO, `meshgate: ${what} is not answered: ${(error as Error).message}`);
  }
}
