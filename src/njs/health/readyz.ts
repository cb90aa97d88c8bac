import fs from 'fs';
import { FROM_CHECK } from '../../base/internal-headers.ts';
import { SVIDS_LOOK_MAX_AGE_S } from '../../base/limits.ts';
import { type CaFound, caPart } from '../../health/ca.ts';
import { filePart, remarksPart } from '../../health/files.ts';
import { changesPart, failed, keysPart, readiness, revocationsPart, working } from '../../health/readiness.ts';
import { type Found, svidPart } from '../../health/svid.ts';
import type { HealthConfig, MonitoredFile, Part, Readiness } from '../../health/types.ts';
import { FLOOR, PSID_FLOOR } from '../../session/revocation/revocation.ts';
import type { KeyState } from '../../token/keys/key-refresh.ts';
import { keysDict, keysName, locksDict, REVOCATIONS_SEEN, revokedDict, svidsDict } from '../shared/dicts.ts';
import { wasRead } from '../shared/revocations-read.ts';
import { revokedTaken } from '../shared/revoked-room.ts';
import { foundOf } from './found-files.ts';
import { meshParts } from './probe-mesh.ts';
import { LOOKED } from './svids.ts';
import { CA, CLIENT_CA, caName } from './watch-cas.ts';

function textOf(path: string): string | undefined {
  try {
    return fs.readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** Returns what the image's watcher (nginx/watch.sh) says; undefined if it does not run here.
 * @param folder the one of the sockets */
function changes(folder: string, now: number): Part | undefined {
  try {
    const age = now - fs.statSync(`${folder}watch.turn`).mtimeMs / 1000;
    return changesPart(age, textOf(`${folder}watch.rejected`));
  } catch {
    return undefined;
  }
}

/** Whether the server of the check answers a request as expected. */
async function answers(socket: string, path: string, good: (answer: Response) => boolean): Promise<boolean> {
  try {
    const answer = await ngx.fetch(`http://unix:${socket}:${path}`, { headers: { Host: 'meshgate' } });
    return good(answer as Response);
  } catch {
    return false;
  }
}

const record = <T extends { readonly name: string }>(all: readonly T[], part: (one: T) => Part) =>
  Object.fromEntries(all.map((one) => [one.name, part(one)]));

function parse<T>(text: string | undefined): T | undefined {
  return text === undefined ? undefined : (JSON.parse(text) as T);
}

/** Returns the state of the CA files: the state of the first file that has a problem, if there is one. */
function caOf(name: typeof CA | typeof CLIENT_CA, count: number): Part {
  const parts = Array.from({ length: count }, (_, i) => caPart(parse<CaFound>(svidsDict().get(caName(name, i)))));
  return parts.find(({ state }) => state !== 'ok') ?? { state: 'ok' };
}

/** Returns the state of revocations, including those of other replicas if the replicas share them. */
function revocations(sessions: 'own' | 'shared', now: number): Part {
  const dropped = revokedDict().has(FLOOR) || revokedDict().has(PSID_FLOOR);
  if (sessions === 'own') return revocationsPart(revokedTaken(), undefined, { dropped });
  const unread = !wasRead(now);
  return revocationsPart(revokedTaken(), now - (locksDict().get(REVOCATIONS_SEEN) ?? now), { dropped, unread });
}

/** Returns the parts about the files of the policy.
 * @param isFresh whether the job has run recently */
function partsOfFiles(files: readonly MonitoredFile[], now: number, isFresh: boolean): Partial<Readiness> {
  if (files.length === 0) return {};
  const found = files.map((file) => ({ file, state: isFresh ? foundOf(file) : undefined }));
  const partOf = ({ file, state }: (typeof found)[number]): Part =>
    state === undefined ? failed('file_unchecked') : filePart(file, state, now);
  const single = (kind: 'session' | 'proof' | 'assertion' | 'pseudonyms') =>
    Object.fromEntries(found.flatMap((one) => (one.file.kind === kind ? [[kind, partOf(one)]] : [])));
  const several = (name: 'clients' | 'certificates', of: typeof found) =>
    of.length === 0 ? {} : { [name]: Object.fromEntries(of.map((one) => [one.file.name, partOf(one)])) };
  const clients = found.filter(({ file }) => file.kind.startsWith('client_'));
  // In an nginx of the operator, no worker reads the certificates of the image's listeners.
  const listeners = found.filter(({ file, state }) => file.kind === 'listener' && state !== undefined);
  return {
    ...single('session'),
    ...single('proof'),
    ...single('assertion'),
    ...single('pseudonyms'),
    ...several('clients', clients),
    ...several('certificates', listeners),
    files: remarksPart(found.flatMap(({ state }) => state ?? [])),
  };
}

/** Returns the state of each part now. */
export async function readinessNow(config: HealthConfig): Promise<Readiness> {
  // No policy has this route. If the check refuses it, its JavaScript runs.
  const refuses = (answer: Response) => answer.headers.get(FROM_CHECK.reason) === 'route_unknown';
  const [checks, signs] = await Promise.all([
    answers(config.check, '/.meshgate/check/-', refuses),
    config.assertion && answers(config.check, '/.meshgate/jwks', ({ status }) => status === 200),
  ]);
  const now = Date.now() / 1000;
  const looks = config.identities.length + config.files.length > 0;
  const isFresh = now - Number(looks ? (svidsDict().get(LOOKED) ?? 0) : now) <= SVIDS_LOOK_MAX_AGE_S;
  const svid = (name: string): Part => {
    const found = isFresh ? parse<Found>(svidsDict().get(name)) : undefined;
    return found === undefined ? failed('svid_unchecked') : svidPart(found, now);
  };
  const files = partsOfFiles(config.files, now, isFresh);
  const watcher = changes(config.check.slice(0, config.check.lastIndexOf('/') + 1), now);
  return readiness({
    policy: config.policy,
    check: working(checks, 'check_failed'),
    providers: record(config.providers, (provider) =>
      keysPart(parse<KeyState>(keysDict().get(keysName(provider))), config.stale, now),
    ),
    ...files,
    ...(watcher && { changes: watcher }),
    ...(config.assertion && {
      assertion: files.assertion?.state === 'failed' ? files.assertion : working(signs, 'signing_keys_unavailable'),
    }),
    ...(config.ca !== undefined && { ca: caOf(CA, config.ca.length) }),
    ...(config.clientCa !== undefined && { client_ca: caOf(CLIENT_CA, config.clientCa.length) }),
    // If no host accepts sessions, the policy has no zone for revocations.
    ...(config.sessions !== undefined &&
      ngx.shared.meshgate_revoked !== undefined && { revocations: revocations(config.sessions, now) }),
    ...(config.probes !== undefined && { meshes: meshParts(config.probes, now) }),
    identities: record(config.identities, ({ name }) => svid(name)),
  });
}

/** Makes the handler of `/.meshgate/readyz`: the state of each part, with 200 if every part works and 503 otherwise. */
export function readyHandler(config: HealthConfig): (r: NginxHTTPRequest) => Promise<void> {
  return async (r) => {
    const result = await readinessNow(config);
    r.headersOut['Content-Type'] = 'application/json';
    r.headersOut['Cache-Control'] = 'no-store';
    r.return(result.ready ? 200 : 503, `${JSON.stringify(result)}\n`);
  };
}
