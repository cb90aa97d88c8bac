import { asObject } from '../../token/json.ts';
import type { SessionClaims } from '../types.ts';
import { type Errand, type Mode, openedObject, type Wish } from './attempt.ts';

/** What a host asks of the sign-in's host, sealed for that one: an attempt of its own that is to be finished there. */
export interface SigninErrand {
  readonly wish: Wish;
  readonly errand: Errand;
  readonly provider: string;
  readonly hint?: string;
  /** Seconds since the epoch. */
  readonly at: number;
}

/** What comes of it, sealed for the host that asked: good once, for a minute, in the browser that began there. */
export interface Ticket {
  /** Used up with it. */
  readonly id: string;
  readonly errand: Errand;
  readonly session: SessionClaims;
  readonly mode: Mode;
  readonly to: string;
  readonly restarted?: true;
  /** Seconds since the epoch. */
  readonly at: number;
}

/** Members of an opened text that is ours, if it has the objects that make it one. */
function membersWith(text: string, objects: readonly string[]): Readonly<Record<string, unknown>> | undefined {
  const members = openedObject(text);
  if (members === undefined) return undefined;
  return objects.every((name) => asObject(members[name]) !== undefined) ? members : undefined;
}

/** @returns `undefined` for what is no request of ours */
export function readErrand(text: string): SigninErrand | undefined {
  return membersWith(text, ['wish', 'errand']) as SigninErrand | undefined;
}

/** @returns `undefined` for what is no ticket of ours */
export function readTicket(text: string): Ticket | undefined {
  return membersWith(text, ['errand', 'session']) as Ticket | undefined;
}
