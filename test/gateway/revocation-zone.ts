/** The JavaScript that the test of the revocation zone runs in nginx: real shared memory has pieces of fixed size, and
 * no fake has that. */

import { isRevokedNow } from '../../src/njs/shared/revocation-reader.ts';
import { keepEnded, keepRevoked } from '../../src/njs/shared/revoked.ts';
import { keepRoom, revokedTaken } from '../../src/njs/shared/revoked-room.ts';
import { ending, revocation } from '../../src/session/revocation/new-revocation.ts';
import { ofAny, ofIssuer, ofPerson, type Revocable } from '../../src/session/revocation/revocation.ts';
import type { Revocation } from '../../src/session/revocation/store.ts';

const argument = (r: NginxHTTPRequest, name: string): string =>
  String((r as unknown as { readonly args: Record<string, string> }).args[name]);

/** The i-th person, with a credential of that time. */
const person = (i: number, at: number): Revocable => ({
  issuers: ['okta'],
  names: [['sub', `u${i}${'x'.repeat((i * 7) % 230)}`]],
  ...{ sid: `s${i}`, psid: `p${i}`, jti: `j${i}` },
  kids: [],
  at,
});

/** Revocations of four sizes. */
function revoking(i: number, at: number): Revocation {
  const what = person(i, at);
  const life = 30 * 86_400;
  const one = ending('okta', what, at, life);
  const list = Array.from(
    { length: 7 },
    (_, session) => ending('okta', { ...what, sid: `${i} ${session}` }, at, life).ended ?? [],
  );
  return [
    one,
    { ...one, ended: [...(one.ended ?? []), ...list.flat()].slice(0, 14) },
    revocation('sub', ofPerson('okta', what.names?.[0] ?? ['sub', '']), at, life),
    revocation('jti', ofAny(what.jti ?? ''), at, life),
  ][i % 4] as Revocation;
}

/** Revokes a key, and then so much that the zone is full several times over; reports revocations that are not in
 * force. */
function fill(r: NginxHTTPRequest): void {
  keepRoom();
  const first = Math.floor(Date.now() / 1000) - 1_000_000;
  keepRevoked([revocation('kid', ofAny('leaked'), first)]);
  const count = Number(argument(r, 'count'));
  const failed: string[] = [];
  for (let i = 0; i < count; i++) {
    try {
      keepRevoked([revoking(i, first + i)]);
    } catch (error) {
      failed.push(`${i}: ${(error as Error).message}`);
    }
  }
  const passing: number[] = [];
  for (let i = 0; i < count; i++) if (!isRevokedNow(() => person(i, first + i))) passing.push(i);
  const later = { kids: ['leaked'], at: first + 2 * count };
  r.return(
    200,
    JSON.stringify({
      failed,
      passing,
      key: isRevokedNow(() => later),
      newcomer: isRevokedNow(() => person(count, first + count + 60)),
    }),
  );
}

const sessionOf = (name: string, sid: string): Revocable => ({
  ...{ issuers: ['okta'], names: [['sub', name]] as const, sid, kids: [] },
  at: Math.floor(Date.now() / 1000) - 60,
});

/** Ends one session of a person. */
function end(r: NginxHTTPRequest): void {
  const what = sessionOf(argument(r, 'person'), argument(r, 'sid'));
  keepEnded([ending('okta', what, Date.now() / 1000, 600)]);
  r.return(204);
}

/** Says how many of a person's first sessions have ended. */
function ended(r: NginxHTTPRequest): void {
  const all = Array.from({ length: Number(argument(r, 'sessions')) }, (_, sid) => String(sid));
  const gone = all.filter((sid) => isRevokedNow(() => sessionOf(argument(r, 'person'), sid)));
  r.return(200, String(gone.length));
}

/** Signs out `count` sessions of a provider without a person; reports the fill level of the zone, and the sessions that
 * still pass. */
function psids(r: NginxHTTPRequest): void {
  // Before the revocations of the other test.
  const first = Math.floor(Date.now() / 1000) - 2_000_000;
  const count = Number(argument(r, 'count'));
  const nameOf = (i: number) => `6b1b36cb-e3b4-4a35-9a92-${String(i).padStart(12, '0')}`;
  const what = (i: number): Revocable => ({
    ...{ issuers: ['keycloak'], names: [['sub', `u${i}`]] as const, sid: `s${i}`, psid: nameOf(i), kids: [] },
    at: first + i,
  });
  for (let i = 0; i < count; i++) {
    keepRevoked([revocation('psid', ofIssuer('keycloak', nameOf(i)), first + i, 30 * 86_400)]);
  }
  const passing = Array.from({ length: count }, (_, i) => i).filter((i) => !isRevokedNow(() => what(i)));
  r.return(200, JSON.stringify({ taken: revokedTaken(), passing }));
}

export default { fill, end, ended, psids };
