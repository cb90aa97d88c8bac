import { composed } from '../../composed.ts';
import { ANSWERED } from '../../token/provider-questions.ts';
import { locksDict } from '../dicts.ts';
import { Away } from '../egress.ts';

const SAID_MS = 1000;

/** Answers the check. It may have given up: then `r.return` throws, and nobody is there to be told. */
export function reply(r: NginxHTTPRequest, status: number, text = ''): void {
  try {
    r.return(status, text);
  } catch (error) {
    ngx.log(ngx.INFO, `meshgate: a question is not answered: ${(error as Error).message}`);
  }
}

/** Says that there is no answer, and why, to the log alone: whoever makes up tokens writes no more than a line a second. */
export function fail(r: NginxHTTPRequest, what: string, error: Error): void {
  if (locksDict().add(composed('said', what), 1, SAID_MS)) ngx.log(ngx.ERR, `meshgate: ${what}: ${error.message}`);
  reply(r, error instanceof Away ? ANSWERED.away : ANSWERED.broken);
}
