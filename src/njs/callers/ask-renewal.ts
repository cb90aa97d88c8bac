import { TO_RENEWAL } from '../../base/internal-headers.ts';
import { PROVIDER_TIMEOUT_MS } from '../../base/limits.ts';
import { MAX_RENEWAL_WAITERS, MAX_SEALED } from '../../session/limits.ts';
import { RENEW_PATH, RENEWED } from '../../session/names.ts';
import { type Hold, holdUpTo, release } from '../shared/held.ts';
import type { KnownSession } from './sessions.ts';

/** The result of a renewal, see {@link RENEWED}. */
type Renewed =
  | { readonly kind: 'renewed'; readonly text: string }
  | { readonly kind: 'going' | 'alone' | 'ended' | 'stale' };

const alone: Renewed = { kind: 'alone' };

/** The results without a text. */
const OTHERS = ['going', 'ended', 'stale'] as const;

async function ask(socket: string, host: string, text: string, wait: boolean): Promise<Renewed> {
  const answer = await ngx.fetch(`http://unix:${socket}:${RENEW_PATH}`, {
    method: 'POST',
    headers: {
      Host: 'meshgate',
      [TO_RENEWAL.host]: host,
      [TO_RENEWAL.session]: text,
      [TO_RENEWAL.wait]: wait ? '1' : '0',
    },
  });
  const body = await answer.text();
  if (answer.status === RENEWED.renewed) {
    return body !== '' && body.length <= MAX_SEALED.session ? { kind: 'renewed', text: body } : alone;
  }
  return { kind: OTHERS.find((kind) => RENEWED[kind] === answer.status) ?? 'alone' };
}

/** Name of the counter of waiting checks, for all workers. Each waiting check holds a JavaScript context. */
const WAITING = 'waiting checks';

/** This is longer than a check waits: nginx ends the call after {@link PROVIDER_TIMEOUT_MS}. */
const WAITING_MS = 2 * PROVIDER_TIMEOUT_MS;

/** A session, by the value of its cookie. Waiting checks are counted by provider, so that a slow provider does not affect
 * others. */
type Renewing = Pick<KnownSession, 'provider' | 'host' | 'text'>;

/** Asks the sign-in's JavaScript to renew a session.
 * @param wait whether to wait until the provider has answered
 * @returns `alone` if anything fails or too many checks are waiting. The promise never rejects. */
export async function askRenewal(socket: string, { provider, host, text }: Renewing, wait: boolean) {
  let place: Hold | undefined;
  try {
    place = holdUpTo(MAX_RENEWAL_WAITERS, WAITING_MS, WAITING, provider);
    return place === undefined ? alone : await ask(socket, host, text, wait);
  } catch (error) {
    ngx.log(ngx.WARN, `meshgate: a session is not renewed: ${(error as Error).message}`);
    return alone;
  } finally {
    if (place !== undefined) release(place);
  }
}
