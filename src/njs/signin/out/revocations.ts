import fs from 'fs';
import { JUST_WRITTEN_MS, MAX_DICT_TTL_MS } from '../../../base/limits.ts';
import { CERTIFICATE_PROVIDER } from '../../../policy/forms/reserved-names.ts';
import type { Table } from '../../../rules/types.ts';
import {
  MAX_REVOKE_FILE_BYTES,
  REVOCATIONS_JOB_INTERVAL_S,
  REVOCATIONS_OLD_S,
  REVOKE_FOLDER,
  REVOKED_ALARM,
  SIGNOUT_FILE,
} from '../../../session/limits.ts';
import { readRequested } from '../../../session/revocation/new-revocation.ts';
import { identifyingClaims } from '../../../session/revocation/revocation.ts';
import type { Revocation, SessionStore } from '../../../session/revocation/store.ts';
import { locksDict, REVOCATIONS_SEEN } from '../../shared/dicts.ts';
import { newEpoch } from '../../shared/epoch.ts';
import { EtcdStore } from '../../shared/etcd-store.ts';
import { keepEarlier, keepRevoked, sayEarlier } from '../../shared/revoked.ts';
import { keepRoom, revokedTaken } from '../../shared/revoked-room.ts';
import { sayOnce } from '../../shared/say-once.ts';

/** Milliseconds after which a run starts no new work, so that it ends before the next run, which would stop it. */
const BUDGET_MS = REVOCATIONS_JOB_INTERVAL_S * 950;

/** Milliseconds after which a run starts no further file on this nginx, because it blocks the worker. */
const KEEP_MS = 50;

/** Milliseconds after which a run sends no further file to etcd. One call can take all the remaining time. */
const FILES_MS = 250;

const codeOf = (error: unknown): string => (error as { code?: string }).code ?? (error as Error).message;

/** Writes, for the command `revoke`, why its file is rejected. */
function refuse(path: string, why: string): void {
  ngx.log(ngx.ERR, `meshgate: a revocation is refused: ${path}: ${why}`);
  try {
    fs.writeFileSync(`${path}.refused`, `${why}\n`, { flag: 'wx' });
    fs.unlinkSync(path);
  } catch (error) {
    sayOnce('refused', ngx.ERR, `${path} cannot be deleted: ${codeOf(error)}`);
  }
}

/** Returns the text of a file; `undefined` if the file was removed or is not complete yet. */
function textOf(path: string): string | undefined {
  try {
    const stat = fs.statSync(path);
    if (!stat.isFile() || stat.size > MAX_REVOKE_FILE_BYTES) return '';
    const text = fs.readFileSync(path, 'utf8');
    const isNew = Math.abs(Date.now() - stat.mtimeMs) < JUST_WRITTEN_MS;
    return isNew && !text.endsWith('\n') ? undefined : text;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    sayOnce('unreadable', ngx.ERR, `${path} cannot be read: ${codeOf(error)}`);
    return undefined;
  }
}

type Providers = Table['providers'];

/** Returns the revocations of a file, or what is wrong with it. A misspelled name would revoke nothing. */
function revocationsIn(text: string, providers: Providers): readonly Revocation[] | string {
  const endpointHeaders = readRequested(text, (name) => identifyingClaims(providers, name));
  if (endpointHeaders === undefined) return 'it is not a revocation';
  if ('revocations' in endpointHeaders) return endpointHeaders.revocations;
  const known = [...Object.keys(providers), CERTIFICATE_PROVIDER];
  return `the policy has no provider ${JSON.stringify(endpointHeaders.unknown)}, only ${known.join(', ')}`;
}

/** A file whose revocations are in force on this nginx. */
interface Kept {
  readonly name: string;
  readonly path: string;
  readonly revocations: readonly Revocation[];
}

/** Enforces the revocation of a file on this nginx; `undefined` if the file is rejected or not complete yet. */
function keepHere(folder: string, name: string, providers: Providers): Kept | undefined {
  const path = `${folder}/${name}`;
  const text = textOf(path);
  if (text === undefined) return undefined;
  const revocations = revocationsIn(text, providers);
  if (typeof revocations === 'string') {
    refuse(path, revocations);
    return undefined;
  }
  try {
    keepRevoked(revocations);
  } catch (error) {
    refuse(path, (error as Error).message);
    return undefined;
  }
  return { name, path, revocations };
}

/** Sends a revocation to the other replicas, and then removes the file. */
async function share({ path, revocations }: Kept, store: SessionStore): Promise<boolean> {
  try {
    for (const one of revocations) await store.revoke(one);
  } catch (error) {
    const why = (error as Error).message;
    sayOnce('revoke', ngx.ERR, `a revocation is in force here and waits for the other replicas: ${why}`);
    return false;
  }
  try {
    fs.unlinkSync(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return true;
    sayOnce('taken', ngx.ERR, `${path} is in force, but cannot be deleted: ${codeOf(error)}`);
    return false;
  }
  return true;
}

/** Counters of processed files. Each run continues where the last run stopped. */
const KEPT = 'revocation files kept';
const SHARED = 'revocation files shared';

/** Returns the list, rotated so that it begins with another element. */
const rotated = <T>(list: readonly T[], by: number): readonly T[] =>
  list.map((_, i) => list.at((i + by) % list.length) as T);

/** Returns the files in the order in which a run processes them. Files of sign-outs come last: anyone who signs in can
 * cause any number of them, and the nginx of the sign-out already enforces them. */
function inTurn<T>(files: readonly T[], nameOf: (file: T) => string, counter: string): readonly T[] {
  const by = locksDict().get(counter) ?? 0;
  const isSignout = (file: T) => nameOf(file).startsWith(SIGNOUT_FILE);
  const others = files.filter((file) => !isSignout(file));
  return [...rotated(others, by), ...rotated(files.filter(isSignout), by)];
}

/** Processes the files of `meshgate revoke`: first it enforces all of them on this nginx, because no call to etcd may
 * delay that; then it sends them to the other replicas. */
async function take(folder: string, store: SessionStore, providers: Providers, began: number): Promise<void> {
  const kept: Kept[] = [];
  for (const name of inTurn(filesIn(folder), String, KEPT)) {
    if (Date.now() - began > KEEP_MS) break;
    locksDict().incr(KEPT, 1, 0, MAX_DICT_TTL_MS);
    const file = keepHere(folder, name, providers);
    if (file !== undefined) kept.push(file);
  }
  for (const file of inTurn(kept, ({ name }) => name, SHARED)) {
    if (Date.now() - began > FILES_MS) break;
    // The file is counted before the call, because the next run stops a call that takes too long.
    locksDict().incr(SHARED, 1, 0, MAX_DICT_TTL_MS);
    if (await share(file, store)) locksDict().incr(SHARED, -1, 0, MAX_DICT_TTL_MS);
  }
}

/** Lists the files in the folder. It creates the folder if it is missing. */
function filesIn(folder: string): readonly string[] {
  try {
    const names = fs.readdirSync(folder) as string[];
    return names.filter((name) => name.endsWith('.json')).sort();
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') {
      sayOnce('folder', ngx.ERR, `meshgate revoke does not work: ${folder}: ${codeOf(error)}`);
      return [];
    }
  }
  try {
    fs.mkdirSync(folder, { mode: 0o770 });
  } catch (error) {
    sayOnce('folder', ngx.WARN, `meshgate revoke does not work: ${folder} cannot be created: ${codeOf(error)}`);
  }
  return [];
}

async function poll(store: EtcdStore, began: number): Promise<void> {
  // The age of the list is counted from this time. A separate mark says that the list was read at all.
  locksDict().add(REVOCATIONS_SEEN, began / 1000, MAX_DICT_TTL_MS);
  let problem = '';
  try {
    await store.poll(BUDGET_MS - (Date.now() - began));
  } catch (error) {
    problem = (error as Error).message;
  }
  const age = Date.now() / 1000 - (locksDict().get(REVOCATIONS_SEEN) ?? 0);
  const why = problem || 'etcd has more revocations than can be read in time';
  if (age >= REVOCATIONS_OLD_S) sayOnce('old', ngx.ERR, `revocations are ${Math.round(age)} s old: ${why}`);
}

/** The periodic job of revocations: it reads files of `meshgate revoke` and revocations of other replicas, and logs a
 * line if there is little room.
 * @param stateDir the state folder of the gateway
 * @param providers the policy's providers */
export async function watchRevocations(stateDir: string, store: SessionStore, providers: Providers) {
  const began = Date.now();
  sayEarlier(keepEarlier((name) => identifyingClaims(providers, name)));
  // Keys and revocations come from two files, which can have different ages.
  if (locksDict().add('revocations began', 1, MAX_DICT_TTL_MS)) newEpoch();
  keepRoom();
  await take(`${stateDir}/${REVOKE_FOLDER}`, store, providers, began);
  if (store instanceof EtcdStore) await poll(store, began);
  const taken = revokedTaken();
  const what = `the zone meshgate_revoked is ${Math.round(taken * 100)} % full`;
  const effect = 'sign-outs are refused, and when it is full the oldest revocations are dropped';
  if (taken >= REVOKED_ALARM) sayOnce('full', ngx.ERR, `${what}: ${effect}; enlarge gateway.session.people`);
}
