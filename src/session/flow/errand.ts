import { asObject } from '../../token/json.ts';
import type { SessionClaims } from '../types.ts';
import { type Errand, type Mode, openedObject, type Wish } from './attempt.ts';

/** A request of a host to the sign-in host, sealed for the sign-in host. It contains the attempt of that host. */
export interface SigninErrand {
  readonly wish: Wish;
  readonly errand: Errand;
  readonly provider: string;
  readonly hint?: string;
  /** Seconds since the epoch. */
  readonly at: number;
}

/** The result of a sign-in, sealed for the host that requested it. It is valid once, for a minute, and only in the
 * browser in which the attempt began. */
export interface Ticket {
  /** The id that is remembered when the ticket is used. */
  readonly id: string;
  readonly errand: Errand;
  readonly session: SessionClaims;
  readonly mode: Mode;
  readonly to: string;
  readonly restarted?: true;
  /** Seconds since the epoch. */
  readonly at: number;
}

/** Returns the members of an opened text, if it contains the given objects. */
function membersWith<T>(text: string, ...objects: readonly (keyof T & string)[]): T | undefined {
  const members = openedObject(text);
  if (members === undefined) return undefined;
  return objects.every((name) => asObject(members[name]) !== undefined) ? (members as unknown as T) : undefined;
}

export const readErrand = (text: string) => membersWith<SigninErrand>(text, 'wish', 'errand');

export const readTicket = (text: string) => membersWith<Ticket>(text, 'errand', 'session');
