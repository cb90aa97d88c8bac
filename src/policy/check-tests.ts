import { type DraftPolicy, writes } from './draft.ts';
import { namesOf } from './names.ts';
import type { Path } from './path.ts';
import type { Report } from './report.ts';
import { METHODS } from './scalars.ts';
import { oneOf } from './suggest.ts';

/** Checks that each test has one request and one caller. */
export function checkTests(report: Report, draft: DraftPolicy): void {
  for (const [index, test] of (draft.tests ?? []).entries()) {
    if (test === undefined) continue;
    const path = ['tests', index];
    const methods = METHODS.filter((method) => writes(test, method));
    if (methods.length > 1)
      report.add([...path, String(methods[1])], 'a test has one request; write a test for each method', 'key');
    if (methods.length === 0 && !report.touches(path)) {
      report.add(path, 'missing method; write GET: https://HOST/PATH, or another method', 'key');
    }
    if (writes(test, 'tool') && writes(test, 'mcp')) {
      report.add([...path, 'mcp'], 'a request is one message; keep tool or mcp', 'key');
    }
    if (typeof test.as === 'object') checkCaller(report, draft, [...path, 'as'], test.as);
  }
}

function checkCaller(
  report: Report,
  draft: DraftPolicy,
  path: Path,
  as: { readonly agent?: string | undefined },
): void {
  if (report.touches(path)) return;
  const roles = writes(as, 'roles');
  const claims = writes(as, 'claims');
  if (roles && (claims || writes(as, 'provider'))) {
    report.add(
      path,
      'roles and a token in one caller; write { roles: [staff] } or { provider: okta, claims: { … } }',
      'key',
    );
  } else if (!roles && !claims && writes(as, 'agent')) {
    checkAlone(report, draft, [...path, 'agent'], as.agent);
  } else if (!roles && !claims && !writes(as, 'network', 'certificate')) {
    report.add(path, 'no caller; write nobody, { roles: [staff] } or { provider: okta, claims: { … } }', 'key');
  }
  if (writes(as, 'agent') && claims && !roles) {
    const message = 'no effect beside claims, which say whether an agent acts; remove it';
    report.add([...path, 'agent'], message, 'key');
  }
  for (const key of ['network', 'certificate'].filter((it) => roles && writes(as, it))) {
    report.add([...path, key], `no effect beside roles, which are given; write { claims: { … }, ${key}: … }`, 'key');
  }
  const signedIn = [...path, 'signed_in'];
  if (writes(as, 'signed_in') && !claims) {
    report.add(signedIn, 'no effect without claims; write { provider: okta, claims: { … }, signed_in: … }', 'key');
  } else if (writes(as, 'signed_in') && writes((as as { claims?: object }).claims ?? {}, 'auth_time')) {
    report.add(signedIn, 'the claims have auth_time as well; keep one of the two', 'key');
  }
  const providers = namesOf(report, 'provider') ?? [];
  if (claims && !roles && !writes(as, 'provider') && providers.length > 1) {
    report.add([...path, 'provider'], `missing key "provider"; write provider: ${oneOf(providers)}`, 'key');
  }
}

/** Checks a test whose caller is an agent without roles, which acts alone. */
function checkAlone(report: Report, draft: DraftPolicy, path: Path, name: string | undefined): void {
  const agent = name === undefined ? undefined : draft.agents?.[name];
  if (!agent || writes(agent, 'alone')) return;
  report.add(
    path,
    'an agent that is not alone needs the roles of its person; write { roles: [staff], agent: … }',
    'key',
  );
}
