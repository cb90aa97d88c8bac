import { LOCK_RENEWAL_MS, MAX_RENEWAL_WAITERS, MAX_SEALED } from '../limits.ts';
import { RENEW_HEADERS, RENEWED } from '../session/contract.ts';
import { RENEW_PATH } from '../session/names.ts';
import { locksDict } from './dicts.ts';

/** What came of a renewal, see src/session/contract.ts. */
export type Renewed =
  | { readonly kind: 'renewed'; readonly text: string }
  | { readonly kind: 'going' }
  | { readonly kind: 'alone' }
  | { readonly kind: 'ended' };

const alone: Renewed = { kind: 'alone' };

async function ask(socket: string, host: string, text: string, wait: boolean): Promise<Renewed> {
  const answer = await ngx.fetch(`http://unix:${socket}:${RENEW_PATH}`, {
    method: 'POST',
    headers: {
      Host: 'meshgate',
      [RENEW_HEADERS.host]: host,
      [RENEW_HEADERS.session]: text,
      [RENEW_HEADERS.wait]: wait ? '1' : '0',
    },
  });
  const body = await answer.text();
  switch (answer.status) {
    case RENEWED.renewed:
      return body !== '' && body.length <= MAX_SEALED.session ? { kind: 'renewed', text: body } : alone;
    case RENEWED.going:
      return { kind: 'going' };
    case RENEWED.ended:
      return { kind: 'ended' };
    default:
      return alone;
  }
}

/** Counter of the checks of all workers that wait: each holds a JavaScript context. */
const WAITING = 'waiting checks';

/**
 * Asks the sign-in's side to renew a session.
 *
 * @param socket of the check's server
 * @param text the cookie's value
 * @param wait whether the provider's answer is waited for
 * @returns `alone` whatever goes wrong, and where too many wait already. Never rejected.
 */
export async function askRenewal(socket: string, host: string, text: string, wait: boolean): Promise<Renewed> {
  const locks = locksDict();
  try {
    if (locks.incr(WAITING, 1, 0, LOCK_RENEWAL_MS) > MAX_RENEWAL_WAITERS) return alone;
    return await ask(socket, host, text, wait);
  } catch (error) {
    ngx.log(ngx.WARN, `meshgate: a session is not renewed: ${(error as Error).message}`);
    return alone;
  } finally {
    locks.incr(WAITING, -1, 0, LOCK_RENEWAL_MS);
  }
}
