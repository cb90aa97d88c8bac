import type { SessionPolicy } from '../policy/checked/types.ts';
import { claimsText } from '../session/cookie-claims.ts';
import { dueAt, hardEnd } from '../session/freshness.ts';
import type { SessionClaims } from '../session/types.ts';
import { toPerson } from './caller.ts';
import { encodeValue } from './encode.ts';
import { preparedOf, signinView } from './roles/roles.ts';
import type { Caller, CallerTable } from './types.ts';

/* The caller of a session is prepared when the cookie is sealed, so that later requests need not parse its claims or
 * compute its roles. The prepared lines come before the rest of the cookie's content. Neither contains line breaks. */

/** Version of these lines and of the code that makes callers from claims. Lines of another version are ignored. */
const VERSION = 1;

/** Maximum number of characters of all lines. With many roles, the cookie is already long because of the groups. */
const MAX_READY_LENGTH = 256;

/** Indexes of the lines. */
export const HEAD_LINE = 0;
const PROVIDER = 1;
export const END_LINE = 2;
export const RENEW_AT_LINE = 3;
export const FRESH_LINE = 4;
const SUBJECT = 5;
export const ROLES = 6;
const EMAIL = 7;
const NAME = 8;
export const READY_LINES = 9;

type ReadyTable = CallerTable & { readonly selection: string };

type Lifetimes = Pick<SessionPolicy, 'idle' | 'absolute' | 'fresh'>;

/** Returns the first line. It names the only policy for which the other lines are valid, by 132 bits of a SHA-256. */
export const readyHead = ({ selection }: Pick<ReadyTable, 'selection'>, { idle, absolute, fresh }: Lifetimes): string =>
  `${VERSION} ${selection.slice(0, 22)} ${idle} ${absolute} ${fresh}`;

/** Whether a value can be written as a line. An empty line means that there is no value. */
const isLine = (value: string | undefined): boolean => value === undefined || (value !== '' && !value.includes('\n'));

/** Returns the lines for subject, roles, e-mail address and name; `undefined` if they must be made from the claims. */
function callerLines(session: SessionClaims, table: ReadyTable, now: number): readonly string[] | undefined {
  const { provider, selection, authTime, end } = session;
  if (selection !== table.selection || !Object.hasOwn(table.providers, provider)) return undefined;
  // The cookie would contain lists twice. There is no line for the claims of the log.
  if (table.sends.groups || table.claims.length > 0 || table.logged !== undefined) return undefined;
  // If roles depend on how or when the person signed in, they change with time.
  if (signinView(preparedOf(provider, table), now) !== undefined) return undefined;
  const claims = authTime > 0 ? { ...session.claims, auth_time: authTime } : session.claims;
  const caller = toPerson({ provider, claims, expires: end, key: '' }, table, now);
  // There is no line for the facts on which roles of the request depend.
  if (!caller.ok || caller.value.truths !== undefined) return undefined;
  const { subject, roles, email, name } = caller.value;
  if (encodeValue(subject) !== subject || !isLine(email) || !isLine(name)) return undefined;
  return [subject, roles.join(','), email ?? '', name ?? ''];
}

/** Returns the text that is sealed as a session cookie: the lines of the prepared caller if possible, then the claims.
 * The lines do not change who the caller is. */
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

/** Reads the caller from lines of {@link sessionText}. */
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
