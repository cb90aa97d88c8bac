import { type ReasonEntry, reasons } from '../../base/reasons.ts';
import type { Caller } from '../../caller/types.ts';
import { factJson } from '../explain/json.ts';
import type { AtRoute, Signature, TokenReport } from './described.ts';

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
  const { form, header, claims, provider, active, refused, asker, expires, binding, roles, routes } = report;
  const caller = asker?.claimed?.caller;
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
