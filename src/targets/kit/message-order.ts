import { CALL, type McpHeaders, NAME_CHARACTER, refusedTool, TASKS } from '../../rules/tools.ts';
import {
  ANY_NAME,
  exactly,
  type HeaderText,
  METHOD_HEADER,
  NAME_HEADER,
  type ToolMessages,
  toolMessages,
  VERSION_HEADER,
} from './tool-messages.ts';

/** A condition for one header, for meshes with regular expressions. An expression must match the whole value. */
export interface HeaderIs {
  readonly name: string;
  readonly exact?: string;
  readonly regex?: string;
  /** Set if the expression must not match. */
  readonly not?: true;
}

/** The kinds of messages: listings and notifications, messages about a task, calls of tools that match a pattern. */
export type Messages =
  | { readonly kind: 'listing' }
  | { readonly kind: 'call'; readonly pattern: string }
  /** Calls of tools whose names are in base64. `*` covers these and plain names. */
  | { readonly kind: 'encoded' }
  /** Messages about tasks whose ids are plain text. For ids in base64 there is `encoded task`. */
  | { readonly kind: 'task' }
  | { readonly kind: 'encoded task' };

const escaped = (text: string): string => text.replaceAll('.', '\\.');

const regexOf = (text: HeaderText) => ('exact' in text ? escaped(text.exact) : `${escaped(text.prefix)}${text.of}*`);

/** The condition that a header has one of these texts. */
function isAnyOf(name: string, texts: readonly HeaderText[]): HeaderIs {
  const [first, ...more] = texts;
  if (first !== undefined && 'exact' in first && more.length === 0) return { name, exact: first.exact };
  return { name, regex: texts.map(regexOf).join('|') };
}

const kindOf = ({ versions, methods }: ToolMessages): readonly HeaderIs[] => [
  isAnyOf(VERSION_HEADER, exactly(versions)),
  isAnyOf(METHOD_HEADER, methods),
];

/** The conditions for headers that these messages meet. A message must meet all of them. */
export function headerConditions(messages: Messages): readonly HeaderIs[] {
  const name = NAME_HEADER;
  const [listing, calls, tasks] = toolMessages(messages.kind === 'call' ? [messages.pattern] : ['*']);
  const encoded = { name, regex: ANY_NAME.encoded };
  const plain = [
    { name, regex: ANY_NAME.plain },
    { name, regex: ANY_NAME.marked, not: true },
  ] as const;
  const conditions: Readonly<Record<Messages['kind'], readonly HeaderIs[]>> = {
    listing: kindOf(listing),
    task: [...kindOf(tasks), ...plain],
    'encoded task': [...kindOf(tasks), encoded],
    encoded: [...kindOf(calls), encoded],
    call: [...kindOf(calls), ...(calls.names === 'any' ? plain : [isAnyOf(name, calls.names ?? [])])],
  };
  return conditions[messages.kind];
}

/** The messages for which {@link headerConditions} returns these conditions. For other conditions, undefined. */
export function messagesIn(headers: readonly HeaderIs[]): Messages | undefined {
  const last = headers.at(-1);
  const stem = last?.regex?.replace(`${NAME_CHARACTER}*`, '').replaceAll('\\.', '.');
  const named = last?.exact ?? (stem === undefined ? undefined : `${stem}*`);
  const known: readonly Messages[] = [
    { kind: 'listing' },
    { kind: 'task' },
    { kind: 'encoded task' },
    { kind: 'encoded' },
    { kind: 'call', pattern: '*' },
    ...(named === undefined ? [] : [{ kind: 'call', pattern: named } as const]),
  ];
  const text = JSON.stringify(headers);
  return known.find((it) => JSON.stringify(headerConditions(it)) === text);
}

/** Whether a message is of this kind. */
export function isOneOf(messages: Messages, message: McpHeaders): boolean {
  const { kind } = messages;
  const { method = '', name } = message;
  const isEncoded = name?.startsWith('=?base64?') === true;
  if (TASKS.includes(method)) {
    return kind === (isEncoded ? 'encoded task' : 'task') && refusedTool([], message) === undefined;
  }
  if (method !== CALL) return kind === 'listing' && refusedTool([], message) === undefined;
  if (kind !== 'call' && kind !== 'encoded') return false;
  const pattern = kind === 'encoded' ? '*' : messages.pattern;
  if (refusedTool([pattern], message) !== undefined) return false;
  return pattern !== '*' || isEncoded === (kind === 'encoded');
}

/** Whether a pattern covers everything that another pattern covers. */
function includesTool(wide: string, pattern: string): boolean {
  if (wide === pattern || wide === '*') return true;
  return wide.endsWith('*') && pattern !== '*' && pattern.replace(/\*$/, '').startsWith(wide.slice(0, -1));
}

/** Sorts exact names first, then prefixes, beginning with the longest. */
function narrowestFirst(a: string, b: string): number {
  const [wideA, wideB] = [a.endsWith('*'), b.endsWith('*')];
  if (wideA !== wideB) return wideA ? 1 : -1;
  return b.length - a.length || (a < b ? -1 : 1);
}

/** All kinds of messages that lists of tools distinguish. Their order is important: the first kind that a message
 * matches says which lists cover the message, namely those with a pattern that includes the pattern of this kind. */
export function messageKinds(tools: readonly string[]): readonly Messages[] {
  const patterns = [...new Set(tools)].sort(narrowestFirst);
  return [
    { kind: 'listing' },
    { kind: 'task' },
    { kind: 'encoded task' },
    ...patterns.map((pattern): Messages => ({ kind: 'call', pattern })),
    ...(patterns.includes('*') ? [{ kind: 'encoded' } as const] : []),
  ];
}

/** Whether a list of tools covers messages of this kind. */
export function coversMessages(tools: readonly string[], messages: Messages): boolean {
  if (messages.kind !== 'call' && messages.kind !== 'encoded') return true;
  const pattern = messages.kind === 'encoded' ? '*' : messages.pattern;
  return tools.some((wide) => includesTool(wide, pattern));
}

/** Whether all messages of one kind also belong to the other kind. */
export function areAmong(messages: Messages, others: Messages): boolean {
  if (messages.kind !== 'call' || others.kind !== 'call') return messages.kind === others.kind;
  return includesTool(others.pattern, messages.pattern);
}
