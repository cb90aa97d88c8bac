import { composed } from '../../composed.ts';
import { ANSWERED } from '../../token/provider-questions.ts';
import { locksDict } from '../dicts.ts';
import { Away } from '../egress.ts';

const SAID_MS = 1000;

/** Answers the check. If the check has given up, `r.return` throws. The error is ignored, because the answer is no
 * longer needed. */
export function reply(r: NginxHTTPRequest, status: number, text = ''): void {
  try {
    r.return(status, text);
  } catch (error) {
    ngx.log(ngx.INFO, `meshgate: a question is not answered: ${(error as Error).message}`);
  }
}

/** Answers with an error status and logs the reason. It writes at most one line a second, because clients can invent
 * tokens. */
export function fail(r: NginxHTTPRequest, what: string, error: Error): void {
  if (locksDict().add(composed('said', what), 1, SAID_MS)) ngx.log(ngx.ERR, `meshgate: ${what}: ${error.message}`);
  reply(r, error instanceof Away ? ANSWERED.away : ANSWERED.broken);
}
