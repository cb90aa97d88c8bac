import type { SessionPolicy } from '../policy/types.ts';
import { claimsText } from '../session/cookie-claims.ts';
import { dueAt, hardEnd } from '../session/freshness.ts';
import type { SessionClaims } from '../session/types.ts';
import { toPerson } from './caller.ts';
import { encodeValue } from './encode.ts';
import { preparedOf, signinView } from './roles.ts';
import type { Caller, CallerTable } from './types.ts';

/*
 * A session's caller, ready-made when the cookie is sealed: a new session is not read as JSON, and nobody looks for its
 * roles. The lines stand before what the cookie says otherwise, which has no line break; each is without one.
 */

/** Of the lines, and of how a caller is made of claims: what is ready-made by another version is not read. */
const VERSION = 1;

/** Characters of all lines: each cookie is to be short, and who has many roles has them in the cookie as groups already. */
const MAX_READY_LENGTH = 256;

/** Places of the lines. */
export const HEAD = 0;
export const PROVIDER = 1;
export const END = 2;
export const RENEW_AT = 3;
export const FRESH = 4;
export const SUBJECT = 5;
export const ROLES = 6;
export const EMAIL = 7;
export const NAME = 8;
export const READY_LINES = 9;

type ReadyTable = CallerTable & { readonly selection: string };

type Lifetimes = Pick<SessionPolicy, 'idle' | 'absolute' | 'fresh'>;

/** The first line: the rest holds by no other policy. No two have 132 bits of SHA-256 in common. */
export const readyHead = ({ selection }: Pick<ReadyTable, 'selection'>, { idle, absolute, fresh }: Lifetimes): string =>
  `${VERSION} ${selection.slice(0, 22)} ${idle} ${absolute} ${fresh}`;

/** Whether a value can stand in a line, where an empty one says that there is none. */
const isLine = (value: string | undefined): boolean => value === undefined || (value !== '' && !value.includes('\n'));

/** Subject, roles, e-mail and name; `undefined` where the caller is to be made of the claims. */
function callerLines(session: SessionClaims, table: ReadyTable, now: number): readonly string[] | undefined {
  const { provider, selection, authTime, end } = session;
  if (selection !== table.selection || !Object.hasOwn(table.providers, provider)) return undefined;
  // Lists would stand in the cookie twice.
  if (table.sends.groups || table.claims.length > 0) return undefined;
  // How and when somebody signed in makes them another caller with time.
  if (signinView(preparedOf(provider, table), now) !== undefined) return undefined;
  const claims = authTime > 0 ? { ...session.claims, auth_time: authTime } : session.claims;
  const caller = toPerson({ provider, claims, expires: end, key: '' }, table, now);
  // Nor does what a token says of facts beside the request's have a line.
  if (!caller.ok || caller.value.truths !== undefined) return undefined;
  const { subject, roles, email, name } = caller.value;
  if (encodeValue(subject) !== subject || !isLine(email) || !isLine(name)) return undefined;
  return [subject, roles.join(','), email ?? '', name ?? ''];
}

/**
 * What is sealed as a session's cookie: what it says, after the lines of the ready-made caller where those can be. With
 * or without them the same caller comes of it.
 *
 * @param table of the policy of now
 * @param now seconds since the epoch
 */
export function sessionText(session: SessionClaims, table: ReadyTable, policy: SessionPolicy, now: number): string {
  const says = claimsText(session);
  const caller = callerLines(session, table, now);
  if (caller === undefined) return says;
  const { provider, since, sealed, fresh } = session;
  const end = Math.min(hardEnd(session, policy), since + policy.absolute);
  const times = [end, dueAt(fresh, sealed, policy), fresh];
  const lines = [readyHead(table, policy), provider, ...times, ...caller].join('\n');
  return lines.length > MAX_READY_LENGTH ? says : `${lines}\n${says}`;
}

const nothing: readonly string[] = Object.freeze([]);
const noClaims: Caller['claims'] = Object.freeze({});

/** The caller that lines of {@link sessionText} are of. */
export function callerOf(lines: readonly string[]): Caller {
  const roles = lines[ROLES] as string;
  const email = lines[EMAIL] as string;
  const name = lines[NAME] as string;
  const caller: { -readonly [K in keyof Caller]: Caller[K] } = {
    provider: lines[PROVIDER] as string,
    subject: lines[SUBJECT] as string,
    roles: roles === '' ? nothing : roles.split(','),
    groups: nothing,
    claims: noClaims,
  };
  if (email !== '') caller.email = email;
  if (name !== '') caller.name = name;
  return caller;
}
