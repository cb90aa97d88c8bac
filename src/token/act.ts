import { MAX_HOPS } from '../limits.ts';
import { asObject } from './json.ts';

/** An actor that acts for the subject of a token. */
export interface Actor {
  readonly sub: string;
  /** Issuer of the actor's name; absent: the issuer of the token. */
  readonly iss?: string;
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';

/** The actor chain: the current actor first, then earlier ones (RFC 8693 section 4.1).
 *
 * @param claim value of `act`
 * @returns undefined if it is not a chain, or longer than any policy allows
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
