import { asObject } from '../../token/json.ts';
import type { SessionClaims } from '../types.ts';
import { type Errand, type Mode, openedObject, type Wish } from './attempt.ts';

/** A host's request to the sign-in host, sealed for the sign-in host. It contains the attempt of the host. */
export interface SigninErrand {
  readonly wish: Wish;
  readonly errand: Errand;
  readonly provider: string;
  readonly hint?: string;
  /** Seconds since the epoch. */
  readonly at: number;
}

/** The result, sealed for the host that asked. It is valid once, for a minute, in the browser in which the attempt
 * began. */
export interface Ticket {
  /** The id that is used up with it. */
  readonly id: string;
  readonly errand: Errand;
  readonly session: SessionClaims;
  readonly mode: Mode;
  readonly to: string;
  readonly restarted?: true;
  /** Seconds since the epoch. */
  readonly at: number;
}

/** The members of an opened text, if it contains the given objects. */
function membersWith(text: string, objects: readonly string[]): Readonly<Record<string, unknown>> | undefined {
  const members = openedObject(text);
  if (members === undefined) return undefined;
  return objects.every((name) => asObject(members[name]) !== undefined) ? members : undefined;
}

/** @returns `undefined` if it is not such a request */
export function readErrand(text: string): SigninErrand | undefined {
  return membersWith(text, ['wish', 'errand']) as SigninErrand | undefined;
}

/** @returns `undefined` if it is not a ticket */
export function readTicket(text: string): Ticket | undefined {
  return membersWith(text, ['errand', 'session']) as Ticket | undefined;
}
