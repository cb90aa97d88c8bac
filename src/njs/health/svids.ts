import fs from 'fs';
import { JUST_WRITTEN_MS, MAX_SVID_BYTES, SVIDS_AT_ONCE } from '../../base/limits.ts';
import { type Found, readSvid, toSay } from '../../health/svid.ts';
import { type HealthReason, healthReasons, type MonitoredIdentity } from '../../health/types.ts';
import { svidsDict } from '../shared/dicts.ts';

/** Key in the dict for the time of the last check, in seconds since the epoch. */
export const LOOKED = ' looked';

/** The result of a check, and the error if the files could not be read. */
type Look = Found & { readonly detail?: string };

const NO_FILE = 'no regular file, or too large';

const codeOf = (error: unknown): string => (error as { code?: string }).code ?? NO_FILE;

/** Returns the versions of the files, and whether they were written just now. It throws the errors of `stat`. */
function filesOf({ certFile, keyFile }: MonitoredIdentity, now: number): { seen: string; fresh: boolean } {
  const stats = (certFile === keyFile ? [certFile] : [certFile, keyFile]).map((path) => fs.statSync(path));
  for (const stat of stats) if (!stat.isFile() || stat.size > MAX_SVID_BYTES) throw new Error(NO_FILE);
  return {
    seen: stats.map(({ ino, size, mtimeMs }) => `${ino} ${size} ${mtimeMs}`).join(),
    fresh: stats.some(({ mtimeMs }) => Math.abs(now * 1000 - mtimeMs) < JUST_WRITTEN_MS),
  };
}

/** Checks the files of an identity, and reads them if they have changed. */
function look(identity: MonitoredIdentity, before: Found | undefined, now: number): Look {
  const { certFile, keyFile, spiffe, names } = identity;
  const reported = before?.reported && { reported: before.reported };
  let path = certFile;
  try {
    const { seen, fresh } = filesOf(identity, now);
    if (before !== undefined && before.seen === seen) return before;
    const cert = fs.readFileSync(path, 'utf8');
    path = keyFile;
    const key = keyFile === certFile ? cert : fs.readFileSync(path, 'utf8');
    const read = readSvid(cert, key, spiffe, names);
    if (typeof read !== 'string') return { seen: fresh ? '' : seen, svid: read, ...reported };
    // The write may not be complete, so the next check reads the file.
    if (fresh && before?.svid !== undefined) return { ...before, seen: '' };
    return { seen: '', fault: read, ...reported };
  } catch (error) {
    return { seen: '', fault: 'svid_unreadable', detail: `${path}: ${codeOf(error)}`, ...reported };
  }
}

function line(identity: string, { svid }: Found, reason: HealthReason, now: number) {
  const at = svid && new Date(svid.notAfter * 1000).toISOString();
  const when = svid === undefined ? '' : `, which ${svid.notAfter < now ? 'expired' : 'expires'} at ${at}`;
  return `meshgate: SVID of identity ${identity}${when}: ${reason}: ${healthReasons[reason]}`;
}

/** Checks the files of all identities. It stores the results for all workers, and logs each problem in one line. */
export async function watchSvids(identities: readonly MonitoredIdentity[]): Promise<void> {
  const dict = svidsDict();
  let read = 0;
  for (const identity of identities) {
    const now = Date.now() / 1000;
    const text = dict.get(identity.name);
    const before = text === undefined ? undefined : (JSON.parse(text) as Found);
    const { detail, ...found } = look(identity, before, now);
    const reason = toSay(found, now);
    if (reason !== undefined) {
      ngx.log(
        reason === 'svid_expiring' ? ngx.WARN : ngx.ERR,
        line(`${identity.name} (${detail ?? identity.certFile})`, found, reason, now),
      );
    }
    const after = JSON.stringify(reason === undefined ? found : { ...found, reported: { reason, at: now } });
    if (after === text) continue;
    dict.set(identity.name, after);
    if (++read % SVIDS_AT_ONCE === 0) await new Promise<void>((resolve) => setTimeout(resolve, 1));
  }
  dict.set(LOOKED, String(Date.now() / 1000));
}
