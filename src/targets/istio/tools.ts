import type { Enforced } from '../../rules/enforced.ts';
import { LISTING, TASKS } from '../../rules/tools.ts';
import { differences } from '../kit/compare.ts';
import {
  METHOD_HEADER,
  NAME_HEADER,
  namedTools,
  toolMessages,
  twiceText,
  VERSION_HEADER,
} from '../kit/tool-messages.ts';
import type { Gap } from '../types.ts';
import type { Condition, IstioRule } from './objects.ts';

/** The notifications that the protocol allows clients to send. Each is listed, because Istio can match only prefixes: a
 * value that begins with `notifications/` may be two headers joined by a comma, and the second header could be
 * anything. */
const NOTIFICATIONS: readonly string[] = ['cancelled', 'progress'].map((name) => `notifications/${name}`);

const HEADER = /^request\.headers\[(mcp-[a-z-]+)\]$/;

const condition = (header: string, values: readonly string[]): Condition => ({
  key: `request.headers[${header}]`,
  values,
});

/** The conditions of two rules of Istio: one for listings and messages about tasks, one for calls of tools. */
export function toolConditions(tools: readonly string[]): readonly [readonly Condition[], readonly Condition[]] {
  const [{ versions }, calls] = toolMessages(tools);
  const methods = calls.methods.flatMap((it) => ('exact' in it ? [it.exact] : []));
  const version = condition(VERSION_HEADER, versions);
  return [
    [version, condition(METHOD_HEADER, [...LISTING, ...TASKS, ...NOTIFICATIONS])],
    [version, condition(METHOD_HEADER, methods), condition(NAME_HEADER, namedTools(tools))],
  ];
}

/** Splits a rule of Istio into rules for the two kinds of messages. */
export function withTools(rule: IstioRule, tools: readonly string[] | undefined): readonly IstioRule[] {
  if (tools === undefined) return [rule];
  return toolConditions(tools).map((own) => ({ ...rule, when: [...(rule.when ?? []), ...own] }));
}

const isOfTools = ({ key }: Condition): boolean => HEADER.test(key);

/** Joins rules that {@link withTools} split; throws the error of `unreadable` if one of the two is missing. */
export function joined(rules: readonly IstioRule[], unreadable: (why: string) => Error) {
  const found: { readonly rule: IstioRule; readonly tools?: readonly string[] }[] = [];
  for (let i = 0; i < rules.length; i += 1) {
    const { when = [], ...rest } = rules[i] as IstioRule;
    if (!when.some(isOfTools)) {
      found.push({ rule: rules[i] as IstioRule });
      continue;
    }
    const others = when.filter((it) => !isOfTools(it));
    const rule: IstioRule = { ...rest, ...(others.length > 0 && { when: others }) };
    const tools = rules[i + 1]?.when?.find(({ key }) => HEADER.exec(key)?.[1] === NAME_HEADER)?.values ?? [];
    if (differences(withTools(rule, tools), rules.slice(i, i + 2)).length > 0)
      throw unreadable('an agent with tools needs two rules: one for listings and tasks, and one for calls');
    found.push({ rule, tools });
    i += 1;
  }
  return found;
}

/** What Istio allows beyond a rule with tools, in words. */
export function widerTools(tools: readonly string[]): string {
  const twice = `${twiceText('Istio')}; for ${TASKS.join(', ')}, Istio does not check Mcp-Name, which the gateway requires`;
  if (tools.includes('*')) return `${twice}; for *, Istio accepts any Mcp-Name, even one with an invalid encoding`;
  const stems = tools.filter((it) => it.endsWith('*'));
  if (stems.length === 0) return twice;
  return `${twice}; Istio checks only how the names of ${stems.join(' ')} begin, and accepts any characters after the prefix, even those that the gateway refuses`;
}

/** The gaps of tools in Istio. */
export function istioToolGaps(rules: readonly Enforced[]): readonly Gap[] {
  const looking = rules.filter(({ tools }) => tools !== undefined);
  const [first] = looking;
  return [
    ...looking.map(({ id, tools = [] }) => ({ part: id, text: widerTools(tools) })),
    ...(first === undefined
      ? []
      : [{ part: first.id, text: `of the notifications, Istio allows only ${NOTIFICATIONS.join(', ')}` }]),
  ];
}
