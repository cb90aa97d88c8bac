import { isWildcard } from '../../base/host-name.ts';
import { DEFAULTS } from '../forms/bounds.ts';
import { quote } from '../forms/path.ts';
import { type DraftPolicy, entriesOf, writes } from '../read/draft.ts';
import type { Report } from '../read/report.ts';

const PATH = ['gateway', 'audit'];

/** Checks the files of the sealed log, its name and its witnesses. */
export function checkAudit(report: Report, draft: DraftPolicy): void {
  const audit = draft.gateway?.audit;
  if (audit === undefined) return;
  const { log = DEFAULTS.auditLog, folder = DEFAULTS.auditFolder, witnesses = [] } = audit;
  if (log.startsWith('/dev/')) {
    const message = `the sealer cannot read ${log}; write a file, as in ${DEFAULTS.auditLog}`;
    report.add([...PATH, 'log'], message);
  } else if (`${log}/`.startsWith(`${folder}/`)) {
    const key = writes(audit, 'log') ? 'log' : 'folder';
    report.add(
      [...PATH, key],
      `the log is in the folder of the sealed log; write another place, as in ${DEFAULTS.auditLog}`,
    );
  }
  for (const [i, one] of witnesses.entries()) {
    if (one?.url?.startsWith('http:') && writes(one, 'ca_file'))
      report.key([...PATH, 'witnesses', i, 'ca_file'], 'no effect: plain http has no certificate; remove it');
  }
  const names = entriesOf(draft.hosts).map(([name]) => name);
  if (writes(audit, 'host') || report.touches(['hosts']) || names.some((name) => !isWildcard(name))) return;
  const [first = ''] = names;
  const write = `host: gateway${first.slice(1) || '.example.com'}`;
  report.key(
    PATH,
    `the log has no name, because ${names.length > 0 ? `${quote(first)} is a wildcard` : 'there are no hosts'}; write ${write}`,
  );
}
