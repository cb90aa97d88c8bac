import { reasons } from '../../base/reasons.ts';
import type { Caller } from '../../caller/types.ts';
import type { Rule } from '../../rules/types.ts';
import { factJson } from '../explain/json.ts';
import type { AtRoute, Signature, TokenReport } from './described.ts';

const toolsJson = ({ who }: Rule) => (who.kind === 'agent' && who.tools !== undefined ? { tools: who.tools } : {});

function routeJson({ route, outcomes }: AtRoute) {
  return {
    route,
    taken: outcomes !== undefined,
    ...(outcomes && {
      outcomes: outcomes.map(({ methods, decision }) => ({
        methods,
        ...(decision.allow ? { rule: decision.rule.id, ...toolsJson(decision.rule) } : { reason: decision.reason }),
      })),
    }),
  };
}

function callerJson({ provider, subject, roles, agent, alone, actors }: Caller) {
  const acting = agent !== undefined && { agent, ...(alone && { alone }), actors };
  return { provider, subject, roles, ...acting };
}

/** Returns a report as JSON. `signature` is absent if the token has no readable signature. */
export function tokenJson(report: TokenReport, signature: Signature | undefined) {
  const { form, header, claims, provider, active, refused, asker, expires, binding, roles, routes } = report;
  const caller = asker?.claimed?.caller;
  return {
    form,
    ...(header && { header }),
    ...(claims && { claims }),
    ...(provider !== undefined && { provider }),
    ...(active !== undefined && { active }),
    taken: refused === undefined,
    ...(refused && {
      reason: refused.reason,
      status: reasons[refused.reason].status,
      ...(refused.detail !== undefined && { detail: refused.detail }),
      help: reasons[refused.reason].help,
    }),
    ...(expires !== undefined && { expires }),
    ...(binding !== undefined && { bound: binding }),
    ...(caller && { caller: callerJson(caller) }),
    ...(signature !== undefined && { signature }),
    ...(roles.length > 0 && { roles: roles.map(factJson) }),
    ...(routes.length > 0 && { routes: routes.map(routeJson) }),
  };
}
