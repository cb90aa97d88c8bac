import { ANSWERED } from '../../token/call-paths.ts';
import { Away } from '../shared/egress-call.ts';
import { respond } from '../shared/problem.ts';
import { sayOnce } from '../shared/say-once.ts';

export const reply = (r: NginxHTTPRequest, status: number, text = ''): void => respond(r, status, text, 'a question');

export const discoveryUnknown = (): Away => new Away('its discovery document is not available');

/** Answers with an error status and logs the reason, at most once a second, because clients can invent tokens. */
export function fail(r: NginxHTTPRequest, what: string, error: Error): void {
  sayOnce(what, ngx.ERR, `${what}: ${error.message}`, 1);
  reply(r, error instanceof Away ? ANSWERED.away : ANSWERED.broken);
}
