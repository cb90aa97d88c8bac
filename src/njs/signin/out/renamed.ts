import { MAX_DICT_TTL_MS } from '../../../base/limits.ts';
import {
  readStoredNames,
  STORED,
  type StoredChange,
  type StoredNames,
  storedChanges,
  storedText,
} from '../../../rules/table/stored.ts';
import { revokedDict, STORED_NAMES } from '../../shared/dicts.ts';
import { anyRevoked } from '../../shared/revoked-room.ts';
import { sayOnce } from '../../shared/say-once.ts';

/** Whether data may exist that a change concerns. A change of a size has emptied the zones. Cookies and lines of the log
 * are not in a zone, so they may always exist. */
function isStored(what: string, { kind }: StoredChange): boolean {
  if (what === 'revocations and sign-outs') return anyRevoked();
  const { zones = [] } = STORED.find((one) => one.what === what) ?? {};
  if (zones.length === 0 || kind === 'people' || kind === 'proof' || kind === 'budgets') return true;
  return zones.some((zone) => ((ngx.shared[`meshgate_${zone}`] as NgxSharedDict<string> | undefined)?.size() ?? 0) > 0);
}

const linesOf = (changes: readonly StoredChange[]): readonly string[] =>
  changes.flatMap((change) => {
    const effects = change.effects.filter(({ what }) => isStored(what, change));
    return effects.length === 0 ? [] : [storedText({ ...change, effects })];
  });

/** The text of the names of this context's policy. */
let text: string | undefined;

/** Whether the zone has had this text. After a reload, workers of the policy before run for some time, and do not write
 * its names again. */
let known = false;

/** Logs one line if the policy names stored data in another way than the policy before, also over a restart.
 * @param names those of the policy that nginx has loaded */
export function sayRenamed(names: StoredNames): void {
  text ??= JSON.stringify(names);
  if (known) return;
  const before = revokedDict().get(STORED_NAMES);
  known = before === text;
  if (known) return;
  const old = before === undefined ? names : readStoredNames(before);
  if (old === undefined) sayOnce('names', ngx.ERR, 'stored names are corrupt: see meshgate diff');
  const lines = linesOf(storedChanges(old ?? names, names));
  const reported = `the policy names stored data in another way: ${lines.join('. ')}`;
  try {
    revokedDict().set(STORED_NAMES, text, MAX_DICT_TTL_MS);
    known = true;
    if (lines.length > 0) ngx.log(ngx.WARN, `meshgate: ${reported}`);
  } catch {
    // Without room for the names, each run would log the line.
    if (lines.length > 0) sayOnce('names', ngx.ERR, reported);
  }
}
