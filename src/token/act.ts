import { MAX_HOPS } from '../base/limits.ts';
import { asObject, isText } from './json.ts';

export interface Actor {
  readonly sub: string;
  /** The issuer that gave the actor its name; absent: the issuer of the token. */
  readonly iss?: string;
}

/** Returns the actor chain in `act`, the current actor first (RFC 8693 section 4.1); undefined if the claim is not a
 * chain, or is longer than any policy allows. */
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
