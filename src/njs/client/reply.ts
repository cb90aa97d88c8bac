import { composed } from '../../base/composed-key.ts';
import { ANSWERED } from '../../token/provider-questions.ts';
import { locksDict } from '../shared/dicts.ts';
import { Away } from '../shared/egress.ts';
import { send } from '../shared/send.ts';

const SAID_MS = 1000;

export const reply = (r: NginxHTTPRequest, status: number, text = ''): void => send(r, status, text, 'a question');

export const discoveryUnknown = (): Away => new Away('its discovery document is not available');

/** Answers with an error status and logs the reason, at most once a second, because clients can invent tokens. */
export function fail(r: NginxHTTPRequest, what: string, error: Error): void {
  if (locksDict().add(composed('said', what), 1, SAID_MS)) ngx.log(ngx.ERR, `meshgate: ${what}: ${error.message}`);
  reply(r, error instanceof Away ? ANSWERED.away : ANSWERED.broken);
}
