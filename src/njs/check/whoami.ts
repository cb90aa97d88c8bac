import { hostNamed } from '../../base/host-name.ts';
import { TO_HANDLER } from '../../base/internal-headers.ts';
import { refuse } from '../../base/reasons.ts';
import { acceptingOf, takeCredential } from '../../caller/credential.ts';
import { type Hides, hidesOf, shownTo } from '../../caller/roles/team-roles.ts';
import type { CredentialKind } from '../../policy/checked/types.ts';
import { DEFAULTS } from '../../policy/forms/bounds.ts';
import type { Table, TableRoute } from '../../rules/types.ts';
import { claimsOf } from '../../session/cookie-claims.ts';
import type { TokenProvider, Verified } from '../../token/types.ts';
import { type KnownSession, listedOf } from '../callers/sessions.ts';
import type { KnownCaller } from '../shared/known.ts';
import { sendJson, sendProblem } from '../shared/problem.ts';
import { callersOf } from './callers.ts';
import type { CheckParts } from './gateway.ts';
import { type AcceptingPlace, type CheckHandlers, requestedHost } from './handlers.ts';

/** A host of the policy, with all credentials that one of its routes accepts. */
type PlaceOfHost = AcceptingPlace & { readonly name: string; readonly hides: Hides | undefined };

function hostsOf({ routes, providers, teams, proof, publicPort = DEFAULTS.publicPort }: Table): readonly PlaceOfHost[] {
  const all = new Map<string, TableRoute[]>();
  for (const [name, route] of Object.entries(routes)) {
    const host = name.slice(0, name.indexOf('/'));
    all.set(host, [...(all.get(host) ?? []), route]);
  }
  return [...all].map(([name, list]) => {
    const accepted = new Set(list.flatMap((route) => route.providers));
    const accept = list.flatMap<CredentialKind>((route) => route.accept ?? ['bearer']);
    return {
      name,
      hides: hidesOf(teams, list[0]?.team),
      realm: name,
      providers: [...accepted].map((provider) => providers[provider] as TokenProvider),
      accepted,
      // Here a token must be for the audiences of its provider, not for those of a route.
      scope: '',
      ...acceptingOf(accept, proof !== undefined),
      publicPort,
      // nginx sends no origin here, because this request changes nothing.
      origins: [],
    };
  });
}

/** Describes the credential itself. Times are seconds since the epoch. */
function credentialOf(known: KnownCaller, verified: Verified | undefined) {
  if (verified !== undefined) {
    const { claims, expires } = verified;
    return { credential: 'bearer', expires, authTime: claims.auth_time, acr: claims.acr };
  }
  if (known.says === undefined) return { credential: 'certificate', expires: known.until };
  const { claims, fresh, authTime } = claimsOf(listedOf(known.says));
  return { credential: 'session', expires: (known as KnownSession).end, fresh, authTime, acr: claims.acr };
}

/** Returns the answer to the caller. The gateway does not keep values that no header sends, so they are missing. */
function disclosed(known: KnownCaller, verified: Verified | undefined, hides: Hides | undefined): unknown {
  const { provider, subject, roles, groups, email, name, agent, actors, alone } = shownTo(known.caller, hides);
  const { credential, expires, fresh, authTime, acr } = credentialOf(known, verified);
  return {
    subject,
    provider,
    roles,
    ...(groups.length > 0 && { groups }),
    ...(email !== undefined && { email }),
    ...(name !== undefined && { name }),
    credential,
    expires,
    ...(fresh !== undefined && { fresh_until: fresh }),
    ...(typeof authTime === 'number' && authTime > 0 && { auth_time: authTime }),
    ...(typeof acr === 'string' && { acr }),
    ...(agent !== undefined && { agent }),
    ...(actors !== undefined && { actors }),
    ...(alone && { alone }),
  };
}

/** Makes the handler that tells callers how the gateway identifies them. This helps developers to find mistakes. */
export function whoamiHandler(gateway: CheckParts): (r: NginxHTTPRequest) => void | Promise<void> {
  const { table, views } = gateway;
  let hosts: readonly PlaceOfHost[] | undefined;
  const handlers: CheckHandlers<PlaceOfHost> = {
    fresh: true,
    renews: false,
    nonceHeader: 'DPoP-Nonce',
    withCaller(r, to, _method, known, now, last, verified) {
      if (last?.()) return;
      const seen = views === undefined ? known : views.see(known, r.headersIn, now);
      sendJson(r, 200, 'application/json', disclosed(seen, verified, to.hides));
    },
    absent: (r, to, _method, reason) => sendProblem(r, requestedHost(r, to), { reason }),
    refuse: (r, to, refusal) => sendProblem(r, requestedHost(r, to), refusal),
  };
  const callers = callersOf(gateway, handlers);

  return (r) => {
    hosts ??= hostsOf(table);
    const { headersIn } = r;
    const to = hostNamed(hosts, headersIn[TO_HANDLER.host] ?? '');
    if (to === undefined) return sendProblem(r, '-', refuse('host_unknown'));
    return takeCredential(callers, headersIn, r, to, r.method as string, headersIn.Authorization, headersIn.Cookie);
  };
}
