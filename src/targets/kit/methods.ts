import type { Rule } from '../../rules/types.ts';

/** The methods that both a policy and the objects of Linkerd and Consul can name. */
export const NAMED: readonly string[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

/** Methods that only a policy can name. Linkerd and Consul allow them if an object names no methods. */
const UNNAMED: readonly string[] = [
  ...['PROPFIND', 'PROPPATCH', 'MKCOL', 'COPY', 'MOVE', 'LOCK', 'UNLOCK', 'REPORT', 'SEARCH'],
];

/** Stands for all methods that cannot be named. */
export const REST = '';

/** The methods of a rule that these meshes cannot name. */
const unnamedOf = ({ methods = [] }: Pick<Rule, 'methods'>): readonly string[] =>
  methods.filter((method) => !NAMED.includes(method));

/** A rule with the methods that the mesh allows for it: all unnamed methods, if the rule has one of them. */
export function widened<R extends Pick<Rule, 'methods'>>(rule: R): R {
  if (rule.methods === undefined || unnamedOf(rule).length === 0) return rule;
  return { ...rule, methods: [...NAMED.filter((method) => rule.methods?.includes(method)), ...UNNAMED] };
}

/** Whether a rule covers a method that can be named, or {@link REST}. */
export function coversMethod(rule: Pick<Rule, 'methods'>, method: string): boolean {
  if (rule.methods === undefined) return true;
  return method === REST ? unnamedOf(rule).length > 0 : rule.methods.includes(method);
}

/** The member `methods` of a rule that allows these methods. {@link REST} stands for all that cannot be named. */
export function methodsOf(allowed: readonly string[]): Pick<Rule, 'methods'> {
  const named = NAMED.filter((method) => allowed.includes(method));
  if (!allowed.includes(REST)) return { methods: named };
  return named.length === NAMED.length ? {} : { methods: [...named, ...UNNAMED] };
}

/** A text that says which methods the mesh allows beyond a rule, if the rule has methods that `what` cannot name. */
export function methodTexts(rule: Pick<Rule, 'methods'>, what: string): readonly string[] {
  const unnamed = unnamedOf(rule);
  if (unnamed.length === 0) return [];
  return [
    `${what} can name only the methods ${NAMED.join(', ')}: a rule that allows ${unnamed.join(', ')} also allows all methods besides these; only the gateway distinguishes them`,
  ];
}
