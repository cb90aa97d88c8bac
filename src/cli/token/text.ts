import { foreign } from '../../base/hostile-text.ts';
import { type ReasonEntry, reasons } from '../../base/reasons.ts';
import type { Caller } from '../../caller/types.ts';
import type { Policy } from '../../policy/checked/types.ts';
import type { Rule } from '../../rules/types.ts';
import type { Paint } from '../common/print.ts';
import { factJson, factLines } from '../explain/text.ts';
import type { AtRoute, Signature, TokenReport } from './described.ts';

/** Claims whose values are dates (RFC 7519 section 4.1, OpenID Connect Core section 2). */
const DATES = ['exp', 'nbf', 'iat', 'auth_time'];

/** Returns a value as JSON on one line, with control characters escaped. */
function plain(value: unknown): string {
  return foreign(JSON.stringify(value) ?? '', Number.POSITIVE_INFINITY);
}

function dateOf(seconds: unknown): string | undefined {
  const date = typeof seconds === 'number' ? new Date(seconds * 1000) : undefined;
  return date === undefined || Number.isNaN(date.getTime()) ? undefined : date.toISOString().replace('.000Z', 'Z');
}

function claimLines(claims: Readonly<Record<string, unknown>>, paint: Paint): string[] {
  const names = Object.keys(claims);
  const width = Math.min(24, Math.max(0, ...names.map((name) => plain(name).length - 2)));
  return names.map((name) => {
    const date = DATES.includes(name) ? dateOf(claims[name]) : undefined;
    const reported = date === undefined ? '' : `  ${paint('dim', date)}`;
    return `  ${plain(name).slice(1, -1).padEnd(width)}  ${plain(claims[name])}${reported}`;
  });
}

function formLine({ form, header }: TokenReport): string {
  if (form === 'encrypted') return 'token      encrypted (JWE): only its recipient can read it';
  if (form === 'opaque') return 'token      opaque: only its provider knows what it means';
  const { alg, typ, kid } = header ?? {};
  const words = [...[typ, alg].filter((it) => typeof it === 'string'), ...(kid === undefined ? [] : [`kid ${kid}`])];
  return `token      JWT${words.length === 0 ? ', which cannot be read' : `: ${words.map((it) => plain(it).slice(1, -1)).join(', ')}`}`;
}

function signatureText(signature: Signature, paint: Paint): string {
  if (signature === 'not checked')
    return 'not checked: anyone can write a token with these claims; --online asks the provider';
  if ('key' in signature) return `${paint('good', 'valid')}, verified with the provider's key ${plain(signature.key)}`;
  const { reason, detail } = signature;
  return `${paint('bad', reason)}${detail === undefined ? '' : `: ${detail}`}; ${reasons[reason].help}`;
}

function takenLines({ refused, expires, binding, explained }: TokenReport, paint: Paint): string[] {
  if (refused !== undefined) {
    const { reason, detail } = refused;
    return [
      `accepted   ${paint('bad', 'no')}: ${reason} (${reasons[reason].status})`,
      ...(detail === undefined ? [] : [`           ${detail}`]),
      `           ${reasons[reason].help}`,
    ];
  }
  return [
    `accepted   ${paint('good', 'yes')}, until ${dateOf(expires) ?? expires}`,
    ...(binding === undefined ? [] : [`bound      to a key (${binding}): each request must prove its possession`]),
    ...(explained === undefined ? [] : [`caller     ${explained.text}`]),
  ];
}

const toolsText = ({ who }: Rule): string =>
  who.kind === 'agent' && who.tools !== undefined ? ` with tools ${who.tools.join(' ')}` : '';

function routeLines({ route, outcomes }: AtRoute, paint: Paint): string[] {
  if (outcomes === undefined) return [`  ${route}: ${paint('dim', 'accepts no token of this provider')}`];
  return outcomes.map(({ methods, decision }) => {
    const who = outcomes.length === 1 ? 'any method' : methods.join(' ');
    const what = decision.allow
      ? paint('good', `by ${decision.rule.id}${toolsText(decision.rule)}`)
      : paint('bad', decision.reason);
    return `  ${route}: ${who}: ${what}`;
  });
}

/** Returns a report as text for people. */
export function tokenReportText(report: TokenReport, signature: Signature | undefined, policy: Policy, paint: Paint) {
  const { provider, claims, active, roles, routes } = report;
  const issuer = provider === undefined ? undefined : policy.providers[provider]?.issuer;
  const lines = [
    formLine(report),
    ...(provider === undefined ? [] : [`provider   ${provider} (${issuer})`]),
    ...(active === undefined ? [] : [`asked      the provider says that the token is ${active ? '' : 'not '}active`]),
    ...takenLines(report, paint),
    ...(signature === undefined ? [] : [`signature  ${signatureText(signature, paint)}`]),
    ...(claims === undefined ? [] : ['claims', ...claimLines(claims, paint)]),
    ...(roles.length === 0 ? [] : ['roles', ...roles.flatMap((role) => factLines(role, '  ', paint))]),
    ...(routes.length === 0 ? [] : ['routes', ...routes.flatMap((route) => routeLines(route, paint))]),
  ];
  return `${lines.join('\n')}\n`;
}

function outcomeJson({ methods, decision }: NonNullable<AtRoute['outcomes']>[number]) {
  if (!decision.allow) return { methods, reason: decision.reason };
  const { id: rule, who } = decision.rule;
  return { methods, rule, tools: who.kind === 'agent' ? who.tools : undefined };
}

function callerJson({ provider, subject, roles, agent, alone, actors }: Caller) {
  const acting = agent !== undefined && { agent, alone: alone || undefined, actors };
  return { provider, subject, roles, ...acting };
}

/** Returns a report as JSON. `signature` is absent if the token has no readable signature. */
export function tokenJson(report: TokenReport, signature: Signature | undefined) {
  const { form, header, claims, provider, active, refused, explained, expires, binding, roles, routes } = report;
  const caller = explained?.claimed?.caller;
  const { status, help }: Partial<ReasonEntry> = refused === undefined ? {} : reasons[refused.reason];
  return {
    ...{ form, header, claims, provider, active },
    taken: refused === undefined,
    ...{ reason: refused?.reason, status, detail: refused?.detail, help, expires, bound: binding },
    caller: caller && callerJson(caller),
    signature,
    roles: roles.length > 0 ? roles.map(factJson) : undefined,
    routes:
      routes.length > 0
        ? routes.map(({ route, outcomes }) => ({
            ...{ route, taken: outcomes !== undefined, outcomes: outcomes?.map(outcomeJson) },
          }))
        : undefined,
  };
}
