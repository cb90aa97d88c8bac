import { type Path, quote } from '../../forms/path.ts';
import { type DraftHeaders, type DraftPolicy, entriesOf, headersOf, routesOf, writes } from '../../read/draft.ts';
import { implied } from '../../read/draft-facts.ts';
import type { Report } from '../../read/report.ts';
import { nearest } from '../../read/suggest.ts';
import { DEFAULT_HEADERS } from '../../schema/headers.ts';

/** Headers that a policy cannot set: those of HTTP itself, and those that the gateway sets for other purposes. */
const TAKEN = new Set([
  ...['connection', 'keep-alive', 'proxy-authenticate', 'proxy-authorization', 'proxy-connection', 'te', 'trailer'],
  ...['trailers', 'transfer-encoding', 'upgrade', 'host', 'authorization', 'www-authenticate', 'expect', 'via', 'date'],
  ...['cookie', 'set-cookie', 'origin', 'accept-encoding', 'forwarded', 'x-forwarded-for', 'x-forwarded-host'],
  ...['x-forwarded-proto', 'x-forwarded-port', 'x-real-ip', 'x-request-id', 'traceparent', 'tracestate'],
  ...['x-forwarded-client-cert', 'x-accel-redirect', 'http2-settings', 'range', 'dpop'],
]);
const TAKEN_PREFIXES = ['content-', 'x-meshgate-', 'l5d-', 'proxy-', 'sec-', 'x-envoy-'];

/** Checks that nginx can set the headers, that each header has a source, and that each null removes a header. */
export function checkHeaders(report: Report, draft: DraftPolicy): void {
  checkLengths(report, draft);
  const global = check(report, draft, ['headers'], draft, new Set());
  const outer = writes(draft, 'headers') ? global : lowerNames(DEFAULT_HEADERS);
  const perHost = new Map(
    entriesOf(draft.hosts).map(([name, host]) => [name, check(report, draft, ['hosts', name, 'headers'], host, outer)]),
  );
  for (const { hostName, path, route } of routesOf(draft)) {
    check(report, draft, [...path, 'headers'], route, perHost.get(hostName));
  }
}

/** The maximum length of a header name if a service uses gRPC: for gRPC calls, nginx has a buffer of fixed size. */
const LONGEST_IN_CALLS = 46;

function checkLengths(report: Report, draft: DraftPolicy): void {
  const grpc = entriesOf(draft.services).find(([, { protocol }]) => protocol === 'grpc')?.[0];
  if (grpc === undefined) return;
  for (const { path, headers } of headersOf(draft)) {
    for (const name of Object.keys(headers).filter((it) => it.length > LONGEST_IN_CALLS)) {
      const message = `too long for service ${quote(grpc)}, which uses gRPC; write a name of at most ${LONGEST_IN_CALLS} characters`;
      report.key([...path, name], message);
    }
  }
}

function spelling(draft: DraftPolicy, lower: string): string {
  const layers = [draft.headers ?? DEFAULT_HEADERS, ...entriesOf(draft.hosts).map(([, host]) => host.headers ?? {})];
  return layers.flatMap((layer) => Object.keys(layer)).find((name) => name.toLowerCase() === lower) ?? lower;
}

const lowerNames = (headers: object) => new Set(Object.keys(headers).map((name) => name.toLowerCase()));

type Names = ReadonlySet<string> | undefined;
type Owner = { readonly headers?: DraftHeaders | undefined };

/** Checks one `headers` mapping. Returns the names that are set here; undefined if an error hides them. */
function check(report: Report, draft: DraftPolicy, path: Path, owner: Owner, outer: Names): Names {
  if (report.has(path)) return undefined;
  const names = new Set(outer ?? []);
  const own = new Map<string, string>();
  for (const [name, source] of Object.entries(owner.headers ?? {})) {
    const lower = name.toLowerCase();
    const here = [...path, name];
    const twice = own.get(lower);
    const mistake = nameMistake(name, lower);
    if (mistake !== undefined) report.key(here, mistake);
    else if (twice !== undefined) report.key(here, `the same header as ${quote(twice)}; keep one`);
    else if (source === null && outer && !outer.has(lower)) {
      const meant = nearest(name, [...outer]);
      const instead = meant === undefined ? 'remove it' : `did you mean ${spelling(draft, meant)}?`;
      report.key(here, `no effect: nothing sets this header; ${instead}`);
    }
    own.set(lower, name);
    if (source === null) names.delete(lower);
    else names.add(lower);
    if (source === 'actor' && !writes(draft, 'agents') && !report.has(['agents'])) {
      report.add(here, 'no effect: the policy has no agents, so no agent acts for a person; remove it');
    }
    if (source !== null && typeof source === 'object') checkSource(report, draft, here, source);
  }
  return outer && names;
}

function nameMistake(name: string, lower: string): string | undefined {
  if (!/^[A-Za-z][A-Za-z0-9-]{0,99}$/.test(name)) {
    const fixed = name.replace(/[^A-Za-z0-9-]+/g, '-').replace(/^[^A-Za-z]+|(?<!-)-+$/g, '');
    return `${quote(name)} is not a header name; write ${fixed ? quote(fixed) : 'letters, digits and dashes'}`;
  }
  if (!TAKEN.has(lower) && !TAKEN_PREFIXES.some((it) => lower.startsWith(it))) return undefined;
  return `${name} is not for identities: HTTP, nginx or the gateway sets it; write another name, as in X-Forwarded-User`;
}

type Source = Exclude<NonNullable<DraftHeaders[string]>, string>;

function checkSource(report: Report, draft: DraftPolicy, path: Path, source: Source): void {
  const before: string[] = [];
  for (const role of Object.keys(source.first_role ?? {})) {
    const having = implied(draft, role);
    const first = before.find((it) => having.has(it));
    if (first !== undefined) {
      const message = `no effect: ${quote(first)} comes first, and each caller with this role has it, too; put this role before it`;
      report.key([...path, 'first_role', role], message);
    }
    before.push(role);
  }
}
