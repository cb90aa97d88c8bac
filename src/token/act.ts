import { MAX_HOPS } from '../limits.ts';
import { asObject } from './json.ts';

/** Somebody who acts for the subject of a token. */
export interface Actor {
  readonly sub: string;
  /** Whose name that is; absent: the token's issuer's. */
  readonly iss?: string;
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';

/**
 * The chain of who acts, the current actor first and whoever acted before it after (RFC 8693 section 4.1).
 *
 * @param claim value of `act`
 * @returns undefined where it is no such chain, or a longer one than anybody may have
 */
export function actorChain(claim: unknown): readonly Actor[] | undefined {
  const actors: Actor[] = [];
  for (let act = claim; act !== undefined; ) {
    const { sub, iss, act: before } = asObject(act) ?? {};
    if (!isText(sub) || (iss !== undefined && !isText(iss))) return undefined;
    if (actors.push(iss === undefined ? { sub } : { sub, iss }) > MAX_HOPS) return undefined;
    act = before;
  }
  return actors;
}
