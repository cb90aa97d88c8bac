import { FROM_HANDLER, TO_HANDLER } from '../internal-headers.ts';
import type { CredentialKind } from '../policy/types.ts';
import { detailOf, ok, type Refusal, type Result, reasons, refuse } from '../reasons.ts';
import type { Table, TableRoute } from '../rules/types.ts';
import { ownSession } from '../session/cookie.ts';
import { readClaims } from '../session/cookie-claims.ts';
import type { Claims, TokenProvider, Verified } from '../token/types.ts';
import { type Bearers, bearer, dpop } from './bearers.ts';
import type { CertificateCallers } from './certificate-callers.ts';
import type { KnownCaller } from './known.ts';
import type { Prover, Sent } from './prove.ts';
import { canLookUp, unread } from './revocation-reader.ts';
import type { Sessions } from './sessions.ts';
import type { Views } from './views.ts';

/** What a host accepts, on whatever route. */
interface Accepted {
  readonly providers: readonly TokenProvider[];
  readonly accepted: ReadonlySet<string>;
  /** Tokens are for the providers' own audiences here. */
  readonly scope: '';
  readonly bearers: boolean;
  readonly sessions: boolean;
  readonly certificates: boolean;
}

/** Who asks, and what their credential says of itself. Times are seconds since the epoch. */
interface Met {
  readonly known: KnownCaller;
  readonly credential: CredentialKind;
  readonly claims: Claims;
  readonly expires: number;
  readonly freshUntil?: number;
  readonly authTime?: unknown;
}

/** The host of the policy that a name is of: that very one, else the longest wildcard. */
function hostFor(name: string, hosts: ReadonlyMap<string, Accepted>): Accepted | undefined {
  const exact = hosts.get(name);
  if (exact !== undefined) return exact;
  for (let dot = name.indexOf('.'); dot >= 0; dot = name.indexOf('.', dot + 1)) {
    const wildcard = hosts.get(`*${name.slice(dot)}`);
    if (wildcard !== undefined) return wildcard;
  }
  return undefined;
}

function hostsOf({ routes, providers }: Table): ReadonlyMap<string, Accepted> {
  const all = new Map<string, TableRoute[]>();
  for (const [name, route] of Object.entries(routes)) {
    const host = name.slice(0, name.indexOf('/'));
    all.set(host, [...(all.get(host) ?? []), route]);
  }
  const accepted = [...all].map(([host, list]): [string, Accepted] => {
    const names = new Set(list.flatMap((route) => route.providers));
    const kinds = new Set(list.flatMap(({ accept = ['bearer'] }) => accept));
    const taken = {
      scope: '' as const,
      bearers: kinds.has('bearer'),
      sessions: kinds.has('session'),
      certificates: kinds.has('certificate'),
    };
    return [host, { providers: [...names].map((name) => providers[name] as TokenProvider), accepted: names, ...taken }];
  });
  return new Map(accepted);
}

/** What is told. What no header of the policy sends is not known of a caller: no groups, no name. */
function told({ known, credential, claims, expires, freshUntil, authTime }: Met): unknown {
  const { provider, subject, roles, groups, email, name, agent, actors, alone } = known.caller;
  return {
    subject,
    provider,
    roles,
    ...(groups.length > 0 && { groups }),
    ...(email !== undefined && { email }),
    ...(name !== undefined && { name }),
    credential,
    expires,
    ...(freshUntil !== undefined && { fresh_until: freshUntil }),
    ...(typeof authTime === 'number' && authTime > 0 && { auth_time: authTime }),
    ...(typeof claims.acr === 'string' && { acr: claims.acr }),
    ...(agent !== undefined && { agent }),
    ...(actors !== undefined && { actors }),
    ...(alone && { alone }),
  };
}

function send(r: NginxHTTPRequest, status: number, type: string, body: unknown): void {
  r.headersOut['Content-Type'] = type;
  r.headersOut['Cache-Control'] = 'no-store';
  r.headersOut['X-Content-Type-Options'] = 'nosniff';
  r.return(status, JSON.stringify(body));
}

const titles: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  421: 'Misdirected Request',
  503: 'Service Unavailable',
};

/** As the gateway refuses other requests (RFC 9457). */
function sendRefusal(r: NginxHTTPRequest, realm: string, refusal: Refusal): void {
  const { status } = reasons[refusal.reason];
  const requestId = r.headersIn[TO_HANDLER.requestId];
  if (status === 401) r.headersOut['WWW-Authenticate'] = `Bearer realm="${realm}"`;
  r.headersOut[FROM_HANDLER.reason] = refusal.reason;
  send(r, status, 'application/problem+json', {
    title: titles[status],
    status,
    reason: refusal.reason,
    detail: detailOf(refusal),
    ...(requestId !== undefined && { request_id: requestId }),
  });
}

/** Who came with a token, and what it says. */
function metBearer(known: Result<KnownCaller>, _along: undefined, verified?: Verified): Result<Met> {
  if (!known.ok || verified === undefined) return known as Extract<typeof known, { ok: false }>;
  const { claims, expires } = verified;
  return ok({ known: known.value, credential: 'bearer', claims, expires, authTime: claims.auth_time });
}

/** Makes the handler that tells callers who the gateway takes them for: what a developer looks at first. */
export function whoamiHandler(
  table: Table,
  bearers: Bearers,
  prover: Prover,
  sessions: Sessions | undefined,
  views?: Views,
  certificates?: CertificateCallers,
): (r: NginxHTTPRequest) => Promise<void> {
  let hosts: ReadonlyMap<string, Accepted> | undefined;

  async function meetBearer(r: NginxHTTPRequest, host: string, to: Accepted, now: number): Promise<Result<Met>> {
    const authorization = r.headersIn.Authorization ?? '';
    const asBearer = bearer(authorization);
    const token = asBearer ?? (prover.takesProofs ? dpop(authorization) : undefined);
    if (!to.bearers || token === undefined) return refuse('credential_unsupported');
    if (!canLookUp()) return unread;
    const met = await bearers.verify(to, token, now, metBearer, undefined, r);
    if (!met.ok) return met;
    const { binding } = met.value.known;
    if (asBearer !== undefined && binding === undefined) return met;
    const method = r.method as string;
    const sent: Sent = { r, host, method, token, scheme: asBearer === undefined ? 'DPoP' : 'Bearer', now };
    const proved = await prover.prove(sent, binding, (outcome) => outcome, undefined);
    const unused = proved.ok ? sent.remember?.(met.value.known) : undefined;
    if (sent.nonce !== undefined) r.headersOut['DPoP-Nonce'] = sent.nonce;
    if (unused !== undefined) return { ok: false, ...unused };
    return proved.ok ? met : proved;
  }

  async function meetSession(to: Accepted, host: string, line: string | undefined, now: number): Promise<Result<Met>> {
    const text = to.sessions && line !== undefined ? ownSession(line) : undefined;
    if (text === 'twice') return refuse('credential_duplicate');
    if (sessions === undefined || text === undefined) return refuse('credential_missing');
    return sessions.open(host, text, now, (opened): Result<Met> => {
      if (opened.kind === 'nobody') return opened;
      if (opened.kind === 'closed') return refuse('credential_missing');
      if (opened.kind === 'unavailable') return refuse('check_unavailable');
      if (opened.kind === 'other') return refuse('session_expired');
      const { known } = opened;
      const session = readClaims(known.says);
      if (session === undefined) return refuse('credential_missing');
      const { claims, fresh, authTime } = session;
      if (!to.accepted.has(known.provider)) return refuse('credential_missing');
      if (now >= known.end || !sessions.vouchFor(known)) return refuse('session_expired');
      return ok({ known, credential: 'session', claims, expires: known.end, freshUntil: fresh, authTime });
    });
  }

  function meetCertificate(escaped: string, now: number): Result<Met> {
    const met = (certificates as CertificateCallers).meet(escaped, now);
    return met.ok ? ok({ known: met.value, credential: 'certificate', claims: {}, expires: met.value.until }) : met;
  }

  /** By the first credential that is there. */
  function meet(r: NginxHTTPRequest, host: string, to: Accepted, now: number): Result<Met> | Promise<Result<Met>> {
    const { headersIn } = r;
    if (headersIn.Authorization !== undefined) return meetBearer(r, host, to, now);
    const escaped = to.certificates ? headersIn['SSL-Client-Cert'] : undefined;
    return escaped === undefined ? meetSession(to, host, headersIn.Cookie, now) : meetCertificate(escaped, now);
  }

  return async (r) => {
    hosts ??= hostsOf(table);
    const { headersIn } = r;
    const host = headersIn[TO_HANDLER.host] ?? '';
    const to = hostFor(host, hosts);
    if (to === undefined) return sendRefusal(r, '-', refuse('host_unknown'));
    const now = Date.now() / 1000;
    const met = await meet(r, host, to, now);
    if (!met.ok) return sendRefusal(r, host, met);
    const { known } = met.value;
    const seen = views === undefined ? known : views.see(known, headersIn, now);
    send(r, 200, 'application/json', told({ ...met.value, known: seen }));
  };
}
