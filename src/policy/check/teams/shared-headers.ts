import { type Path, quote } from '../../forms/path.ts';
import { type DraftPolicy, headersOf } from '../../read/draft.ts';
import type { Report } from '../../read/report.ts';
import { DEFAULT_HEADERS } from '../../schema/headers.ts';
import { PERMISSIONS } from '../../schema/team.ts';
import { beyond, forbidden, type Granted } from '../../schema/team-limits.ts';
import { TRUSTED } from '../../trusted/index.ts';

const ERASED = [...TRUSTED.identity, ...TRUSTED.certificates].flatMap(({ names }) => names);

/** Checks the identity headers in a team's file. nginx erases the identity headers of one host from requests to every
 * host, so a new name concerns all. A session keeps the claims that headers send, so a claim concerns all, too. */
export function checkTeamHeaders(report: Report, draft: DraftPolicy, given: Granted): void {
  const isOwn = (path: Path) => report.teamOf(path) === given.name;
  const all = headersOf(draft);
  const ofPolicy = all
    .filter(({ path }) => report.teamOf(path) === undefined)
    .flatMap(({ headers }) => Object.keys(headers));
  const names = [...Object.keys(DEFAULT_HEADERS), ...ERASED, ...ofPolicy, ...given.grant.headers];
  const allowed = new Set(names.map((name) => name.toLowerCase()));
  for (const { path, headers } of all.filter((it) => isOwn(it.path))) {
    for (const [name, source] of Object.entries(headers)) {
      const here = [...path, name];
      if (!allowed.has(name.toLowerCase())) {
        report.key(here, beyond(given, `the header ${quote(name)}`, 'headers', given.grant.headers, name));
      }
      const isClaim = source === 'groups' || (typeof source === 'object' && source !== null && 'claim' in source);
      if (isClaim && !given.grant.may.includes('claims')) {
        report.key(here, forbidden(given, 'claims', PERMISSIONS.claims));
      }
    }
  }
}
