import { METHODS } from '../../policy/forms/scalars.ts';
import { pathsOfExpression } from '../expressions.ts';
import type { Findings } from '../findings.ts';
import { type Open, withoutOtherCase } from '../served-paths.ts';
import type { Settings } from './settings.ts';

interface Skip {
  readonly label: string;
  readonly text: string;
  readonly method: string;
  readonly expression: string;
  readonly negated: boolean;
}

/** Reads `METHOD=EXPRESSION`, `METHOD!=EXPRESSION` or an expression alone, as oauth2-proxy does. */
function skipOf(label: string, text: string): Skip {
  const [, method = '', sign, rest = ''] = /^([^=]*?)(!?=)([\s\S]*)$/.exec(text) ?? [];
  const negated = text.includes('!=');
  if (sign === undefined) return { label, text, method: '', expression: text, negated };
  return { label, text, method: method.toUpperCase(), expression: rest, negated };
}

const skipsOf = (settings: Settings): readonly Skip[] => [
  ...settings.list('skip-auth-route').map((it) => skipOf(settings.label('skip-auth-route'), it)),
  ...settings.list('skip-auth-regex').map((text) => {
    const label = settings.label('skip-auth-regex');
    return { label, text, method: '', expression: text, negated: false };
  }),
];

const quoted = (text: string): string => JSON.stringify(text.length > 120 ? `${text.slice(0, 120)}…` : text);

function openOf({ label, text, method, expression, negated }: Skip, findings: Findings): readonly Open[] {
  const declared = quoted(text);
  if (negated) {
    const why = 'it opens every path that does not match, also those that you add later';
    findings.lose(
      label,
      `${declared}: ${why}. These paths need a credential now: write routes with allow: [anyone] for those that must be open`,
    );
    return [];
  }
  if (method !== '' && !(METHODS as readonly string[]).includes(method)) {
    findings.lose(label, `${declared}: a policy cannot name this method`);
    return [];
  }
  const found = pathsOfExpression(expression);
  if (found === undefined) {
    const why = 'a policy has paths and prefixes (/x, /x/*), and no expressions';
    findings.lose(label, `${declared}: ${why}. These paths need a credential now: write routes with allow: [anyone]`);
    return [];
  }
  if (found.unanchored) {
    const why = 'it has no ^ at its beginning, so oauth2-proxy opens every path that contains it, such as /admin/x?';
    findings.differ(label, `${declared}: ${why.replace('?', '')}. Only ${listed(found.paths)} is open now`);
  } else if (found.narrower) {
    findings.differ(
      label,
      `${declared}: it matches other paths too, which need a credential now; only ${listed(found.paths)} is open`,
    );
  }
  if (found.paths.some(({ kind, path }) => kind === 'prefix' && path === '')) {
    findings.differ(label, `${declared}: it opens every path, as before: the policy protects nothing`);
  }
  if (method === 'GET') findings.differ(label, `${declared}: GET includes HEAD in a policy, so HEAD is open too`, true);
  return found.paths.map((paths) => ({ paths, ...(method !== '' && { methods: [method] }) }));
}

const listed = (paths: readonly Open['paths'][]): string =>
  paths.map(({ kind, path }) => (kind === 'exact' ? path : `${path}/*`)).join(', ');

/** Returns the paths that oauth2-proxy opens to anyone, as far as a policy can name them. Others need a credential. */
export function openPaths(settings: Settings, findings: Findings): readonly Open[] {
  if (settings.isClosed) return [];
  const open = skipsOf(settings).flatMap((it) => openOf(it, findings));
  const different = withoutOtherCase(open);
  if (different.length < open.length) {
    findings.lose(settings.label('skip-auth-route'), 'of paths that differ in case only, the policy has the first');
  }
  if (!settings.is('skip-auth-preflight')) return different;
  return [...different, { paths: { kind: 'prefix', path: '' }, methods: ['OPTIONS'] }];
}
