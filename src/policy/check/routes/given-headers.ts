import type { Path } from '../../forms/path.ts';
import { type DraftPolicy, entriesOf, headersOf, writes } from '../../read/draft.ts';
import type { Report } from '../../read/report.ts';
import { DEFAULT_HEADERS } from '../../schema/headers.ts';
import { TRUSTED } from '../../trusted/index.ts';

/* `request_headers` of a service lists the request headers of clients that the service receives. nginx erases headers
 * by exact name. So a service that reads any name of a certain pattern is safe only if nginx erases every header that
 * is not listed. */

/** Headers that every service receives, listed or not, and the reason why. */
export const ALWAYS_PASSED: readonly { readonly names: readonly string[]; readonly why: string }[] = [
  {
    names: ['Content-Type', 'Content-Encoding', 'Content-Range'],
    why: 'they describe the body; without `Content-Range`, a part of a file would replace the whole file',
  },
  {
    names: ['If-Match', 'If-None-Match', 'If-Modified-Since', 'If-Unmodified-Since', 'If-Range', 'Range'],
    why: 'they are conditions; without `If-Match`, a client would overwrite a version that it has not seen',
  },
  {
    names: ['Origin', 'Sec-Fetch-Site', 'Sec-Fetch-Mode', 'Sec-Fetch-Dest', 'Sec-Fetch-User'],
    why: 'they say which page sends a request; without them, services assume that a program sent it, and skip their own check',
  },
  {
    names: ['Sec-WebSocket-Key', 'Sec-WebSocket-Version', 'Sec-WebSocket-Extensions', 'Sec-WebSocket-Protocol'],
    why: 'they open a WebSocket',
  },
  {
    names: ['Mcp-Protocol-Version', 'Mcp-Method', 'Mcp-Name'],
    why: 'the gateway compares them with `tools`, and MCP servers compare them with the message',
  },
];

const ALWAYS = new Set(ALWAYS_PASSED.flatMap(({ names }) => names.map((name) => name.toLowerCase())));

/** Headers that the gateway itself sets. `Cookie` is not among them, because nginx passes cookies of the service on. */
const OWN =
  /^(host|upgrade|x-real-ip|x-forwarded-(for|proto|host|port)|x-request-id|traceparent|tracestate|x-meshgate-.*)$/;

/** Headers of the connection, not of the request (RFC 9110 section 7.6.1). nginx writes these headers itself. */
const HOP = /^(connection|keep-alive|te|trailers?|transfer-encoding|content-length|expect|http2-settings|proxy-.*)$/;

/** Headers of usual requests. */
const USUAL = /^(accept(-.*)?|cache-control|cookie|content-.*|date|if-.*|pragma|referer|sec-.*|user-agent|via)$/;

const ERASED: ReadonlyMap<string, string> = new Map(
  Object.values(TRUSTED)
    .flat()
    .flatMap(({ names, by }) => names.map((name) => [name.toLowerCase(), by] as const))
    // The first row counts, as in the rendered file.
    .reverse(),
);

/** Identity headers of the policy. nginx erases them on every route. */
function identityNames(draft: DraftPolicy): ReadonlySet<string> {
  const usual = writes(draft, 'headers') ? {} : DEFAULT_HEADERS;
  const layers = [usual, ...headersOf(draft).map(({ headers }) => headers)];
  return new Set(layers.flatMap((layer) => Object.keys(layer).map((name) => name.toLowerCase())));
}

/** Returns why the policy cannot use a header for the gateway's own token; undefined if it can. */
export function headerMistake(draft: DraftPolicy, name: string): string | undefined {
  const lower = name.toLowerCase();
  const isUsed = [ALWAYS, ERASED, identityNames(draft)].some((names) => names.has(lower)) || USUAL.test(lower);
  if (!isUsed && !OWN.test(lower) && !HOP.test(lower)) return undefined;
  return `${name} has another purpose; write a header that only the gateway reads, as in X-Gateway-Authorization`;
}

function mistake(lower: string, identity: ReadonlySet<string>, token: string | undefined): string | undefined {
  if (lower === 'authorization') {
    return 'no effect: nginx erases this header, because it has the gateway’s credential; service_credential of a route passes a service’s own on; remove it';
  }
  if (lower === token) return 'no effect: nginx erases this header, because it has the gateway’s token; remove it';
  if (ALWAYS.has(lower)) return 'no effect: this header always passes; remove it';
  if (OWN.test(lower) || identity.has(lower)) return 'no effect: the gateway sets this header; remove it';
  if (HOP.test(lower)) return 'no effect: this header is about the connection, not the request; remove it';
  const by = ERASED.get(lower);
  return by === undefined ? undefined : `no effect: nginx erases this header, because ${by} trusts it; remove it`;
}

/** Checks that a client's header of each listed name can reach the service. */
export function checkRequestHeaders(report: Report, draft: DraftPolicy): void {
  const identity = identityNames(draft);
  const token = draft.gateway?.credential_header?.toLowerCase();
  for (const [name, service] of entriesOf(draft.services)) {
    const path: Path = ['services', name, 'request_headers'];
    if (!writes(service, 'request_headers')) continue;
    if (service.protocol === 'grpc') {
      report.key(path, 'nginx passes all metadata of gRPC calls and cannot filter them; remove this');
      continue;
    }
    const headers = service.request_headers ?? [];
    for (const [index, header] of headers.entries()) {
      if (header === undefined) continue;
      const message = mistake(header.toLowerCase(), identity, token);
      if (message !== undefined) report.add([...path, index], message);
    }
  }
}

/** The list of a service in one spelling, so that two lists can be compared. */
export const spelledOnce = (names: readonly (string | undefined)[] | undefined): string | undefined =>
  names &&
  [...names]
    .map((name) => name?.toLowerCase())
    .sort()
    .join(' ');
