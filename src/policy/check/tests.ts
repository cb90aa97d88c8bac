import type { Path } from '../forms/path.ts';
import { METHODS } from '../forms/scalars.ts';
import { type DraftPolicy, writes } from '../read/draft.ts';
import type { Report } from '../read/report.ts';
import { namesOf } from '../read/sections.ts';
import { oneOf } from '../read/suggest.ts';

/** Checks that each test has one request and one caller. */
export function checkTests(report: Report, draft: DraftPolicy): void {
  for (const [index, test] of (draft.tests ?? []).entries()) {
    if (test === undefined) continue;
    const path = ['tests', index];
    const methods = METHODS.filter((method) => writes(test, method));
    if (methods.length > 1)
      report.key([...path, String(methods[1])], 'a test has one request; write a test for each method');
    if (methods.length === 0 && !report.touches(path)) {
      report.key(path, 'missing method; write GET: https://HOST/PATH, or another method');
    }
    if (typeof test.as === 'object') checkCaller(report, draft, [...path, 'as'], test.as);
  }
}

type DraftCaller = { readonly agent?: string | undefined; readonly claims?: object | undefined };

function checkCaller(report: Report, draft: DraftPolicy, path: Path, as: DraftCaller): void {
  if (report.touches(path)) return;
  const roles = writes(as, 'roles');
  const claims = writes(as, 'claims');
  if (roles && (claims || writes(as, 'provider'))) {
    report.key(path, 'one caller has roles and a token; write { roles: [staff] } or { provider: okta, claims: { … } }');
  } else if (!roles && !claims && writes(as, 'agent')) {
    const agent = draft.agents?.[as.agent ?? ''];
    const message = 'an agent that acts for a person needs the person’s roles; write { roles: [staff], agent: … }';
    if (as.agent !== undefined && agent && !writes(agent, 'alone')) report.key([...path, 'agent'], message);
  } else if (!roles && !claims && !writes(as, 'network', 'certificate')) {
    report.key(path, 'no caller; write nobody, { roles: [staff] } or { provider: okta, claims: { … } }');
  }
  if (writes(as, 'agent') && claims && !roles) {
    report.key([...path, 'agent'], 'no effect together with claims, which say whether an agent acts; remove it');
  }
  const providers = namesOf(report, 'provider') ?? [];
  if (claims && !roles && !writes(as, 'provider') && providers.length > 1) {
    report.missing(path, 'provider', `provider: ${oneOf(providers)}`);
  }
}
