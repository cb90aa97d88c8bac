import type { Ids } from './hop.ts';

const TRACE = /(?<![0-9a-f])(?!0{32})[0-9a-f]{32}(?![0-9a-f])/i;
const TRACEPARENT = /(?<![0-9a-f-])[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?![0-9a-f])/i;
const UUID = /(?<![0-9a-f-])[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(?![0-9a-f-])/i;

/** Returns the trace id of a `traceparent` (W3C Trace Context) within a text. */
export const traceOf = (text: string | undefined): string | undefined =>
  TRACEPARENT.exec(text ?? '')?.[1]?.toLowerCase();

/** Returns a trace id: a text that is one, or the one in a `traceparent`. Cloud loggers put a path in front. */
export function traceId(text: string | undefined): string | undefined {
  return traceOf(text) ?? (text === undefined ? undefined : /(?:^|\/)([0-9a-f]{32})$/i.exec(text)?.[1]?.toLowerCase());
}

/** Returns a request id: that of the gateway has 32 hexadecimal digits, that of Envoy is a UUID. */
export function requestId(text: string | undefined): string | undefined {
  return text !== undefined && /^[0-9a-f-]{16,64}$/i.test(text) ? text.toLowerCase() : undefined;
}

/** Returns the ids that stand anywhere in a line of text. */
export function idsIn(text: string): Ids {
  const trace = traceOf(text);
  const rest = trace === undefined ? text : text.replace(TRACEPARENT, '');
  const request = (TRACE.exec(rest) ?? UUID.exec(rest))?.[0].toLowerCase();
  return { ...(trace !== undefined && { trace }), ...(request !== undefined && { request }) };
}

/** Returns the last ids of a text. Loggers write `User-Agent`, `Referer` and paths before them, which clients choose. */
export function lastIdsIn(text: string): Ids {
  const last = (pattern: RegExp, from: string) => [...from.matchAll(new RegExp(pattern, 'gi'))].at(-1);
  const trace = last(TRACEPARENT, text)?.[1]?.toLowerCase();
  const rest = text.replace(new RegExp(TRACEPARENT, 'gi'), '');
  const request = last(new RegExp(`${TRACE.source}|${UUID.source}`), rest)?.[0].toLowerCase();
  return { ...(trace !== undefined && { trace }), ...(request !== undefined && { request }) };
}

/** Returns the id that a person gives: a trace id, a request id, a `traceparent` or the value of `traceresponse`;
 * undefined if it is none of them. */
export function requestedId(text: string): string | undefined {
  const trimmed = text.trim().replace(/^(?:traceparent|traceresponse|x-request-id):\s*/i, '');
  const isComplete = new RegExp(`^(?:${TRACE.source}|${UUID.source})$`, 'i').test(trimmed);
  return traceOf(trimmed) ?? (isComplete ? trimmed.toLowerCase() : undefined);
}
