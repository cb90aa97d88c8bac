import crypto from 'crypto';
import fs from 'fs';
import { composed } from '../../base/composed-key.ts';
import { JUST_WRITTEN_MS, MAX_DOCUMENT_BYTES } from '../../base/limits.ts';
import { afterLook, bundleOf, type CaFound, type CaLook, toSayOfCa, wantsReload } from '../../health/ca.ts';
import { healthReasons } from '../../health/types.ts';
import { svidsDict } from '../shared/dicts.ts';

/** Keys in the dict for the state of the ingress's CA file, and of the one that verifies clients and services. */
export const CA = ' ca';
export const CLIENT_CA = ' client ca';

const WHOSE = { [CA]: 'the ingress', [CLIENT_CA]: 'clients' } as const;

type Ca = keyof typeof WHOSE;

/** Returns the key in the dict for one of several CA files. */
export const caName = (name: Ca, index: number): string => (index === 0 ? name : composed(name, String(index)));

/** Reads the file if it has changed. A file that was written just now may be incomplete, so it is read next time. */
function look(path: string, before: CaFound | undefined, now: number): CaLook | undefined {
  try {
    const { ino, size, mtimeMs } = fs.statSync(path);
    const seen = `${ino} ${size} ${mtimeMs}`;
    if (before !== undefined && (before.seen === seen || Math.abs(now * 1000 - mtimeMs) < JUST_WRITTEN_MS))
      return undefined;
    const bundle = size > MAX_DOCUMENT_BYTES ? undefined : bundleOf(fs.readFileSync(path, 'utf8'));
    if (bundle === undefined) return { seen: '', fault: 'ca_malformed' };
    return { seen, holds: crypto.createHash('sha256').update(bundle).digest('base64') };
  } catch {
    return { seen: '', fault: 'ca_unreadable' };
  }
}

/** Makes nginx's master process reload. A worker without a master must not signal another program. */
function reload(): boolean {
  try {
    const title = fs.readFileSync(`/proc/${process.ppid}/cmdline`, 'utf8');
    return title.startsWith('nginx: master process') && process.kill(process.ppid, 'SIGHUP');
  } catch {
    return false;
  }
}

/** Checks a CA file, which nginx reads only when it loads its configuration. If the certificates have changed and the
 * policy allows it, this worker makes nginx reload. */
export function watchCa(name: Ca, path: string, index = 0): void {
  const dict = svidsDict();
  const now = Date.now() / 1000;
  const key = caName(name, index);
  const text = dict.get(key);
  const kept = text === undefined ? undefined : (JSON.parse(text) as CaFound);
  const before = kept?.pid === process.pid ? kept : undefined;
  const looked = look(path, before, now);
  let found = looked === undefined ? before : afterLook(before, looked, process.pid);
  if (found === undefined) return;
  const due = wantsReload(found);
  const reloads = due && reload();
  if (due) found = { ...found, requested: found.holds as string };
  const reason = toSayOfCa(found, now);
  if (reason !== undefined) {
    const what = reloads ? 'the file has other certificates now, so nginx reloads' : healthReasons[reason];
    ngx.log(reloads ? ngx.WARN : ngx.ERR, `meshgate: CA of ${WHOSE[name]} (${path}): ${reason}: ${what}`);
    found = { ...found, reported: { reason, at: now } };
  }
  const after = JSON.stringify(found);
  if (after !== text) dict.set(key, after);
}
