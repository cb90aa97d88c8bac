import type { Rule } from '../../rules/types.ts';

/** Methods that a policy may name and that routes of Linkerd and intentions of Consul can name. */
export const NAMED: readonly string[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

/** Methods that a policy may name and these meshes cannot. They pass if no method is named. */
export const UNNAMED: readonly string[] = [
  ...['PROPFIND', 'PROPPATCH', 'MKCOL', 'COPY', 'MOVE', 'LOCK', 'UNLOCK', 'REPORT', 'SEARCH'],
];

/** Represents all methods that cannot be named. */
export const REST = '';

/** The methods of a rule that cannot be named. */
export function unnamedOf({ methods = [] }: Pick<Rule, 'methods'>): readonly string[] {
  return methods.filter((method) => !NAMED.includes(method));
}

/** The methods that the mesh allows for a rule: all that cannot be named, if the rule has one of them. */
export function widened<R extends Pick<Rule, 'methods'>>(rule: R): R {
  if (rule.methods === undefined || unnamedOf(rule).length === 0) return rule;
  return { ...rule, methods: [...NAMED.filter((method) => rule.methods?.includes(method)), ...UNNAMED] };
}

/** Whether a rule covers a method that can be named, or {@link REST}. */
export function coversMethod(rule: Pick<Rule, 'methods'>, method: string): boolean {
  if (rule.methods === undefined) return true;
  return method === REST ? unnamedOf(rule).length > 0 : rule.methods.includes(method);
}

/** The methods of a rule that lets these named ones pass and, if `rest`, all that have no name. */
export function methodsOf(named: readonly string[], rest: boolean): readonly string[] | undefined {
  if (!rest) return named;
  return named.length === NAMED.length ? undefined : [...named, ...UNNAMED];
}

/**
 * That more methods pass than a rule says, if they do.
 *
 * @param what would have to name them
 */
export function methodTexts(rule: Pick<Rule, 'methods'>, what: string): readonly string[] {
  const unnamed = unnamedOf(rule);
  if (unnamed.length === 0) return [];
  return [
    `${what} can name no method but ${NAMED.join(', ')}: where ${unnamed.join(', ')} passes, all others do; only the gateway distinguishes them`,
  ];
}
