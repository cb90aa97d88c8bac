import { CALLER_FIELDS, FROM_CHECK } from '../../../base/internal-headers.ts';
import { alwaysField, isLong } from '../../../rules/table/carrier.ts';
import type { Context } from '../render-context.ts';
import { conf, type Directive, regex, variable } from '../text/directive.ts';
import { answerHeader, headerVariable, keptField } from '../text/names.ts';

const SEPARATOR = '\\x09';

/** Matches a text without the separator, and keeps it under a name. The expression never backtracks. */
const field = (name?: string): string => (name === undefined ? '[^\\x09]*+' : `(?<${name}>[^\\x09]*+)`);

/** The variable of the regular expression. The map's own variable is empty if the response has no fields. */
const SAID_RULE = 'meshgate_said_rule';

/** The rule that the check's response names. Reading this variable also fills the variables of the other fields. */
export const answerRule = variable('meshgate_answer');

/** The map that splits the check's response into its fields. It is `volatile`, so each response is read again. If the
 * response does not match in full, for example because something else answered instead of the check, the rule is empty
 * and the request reaches no service. */
export function answerMap({ hosts, headerNames }: Pick<Context, 'hosts' | 'headerNames'>): readonly Directive[] {
  const headers = hosts.flatMap(({ routes }) => routes.flatMap((route) => route.headers));
  const isField = (index: number) =>
    headers.some((it) => it.index === index && alwaysField(it.source) === undefined && !isLong(it.source));
  const named = headerNames.map((_, index) => (isField(index) ? headerVariable(index) : undefined));
  // Only routes with such headers have fields for them. After the last of these fields, nothing is kept.
  const last = Math.max(-1, ...named.flatMap((name, index) => (name === undefined ? [] : [index])));
  const identity = named.slice(0, last + 1).map((name) => SEPARATOR + field(name));
  const optional = last < 0 ? '' : `(?:${identity.join('')}(?:${SEPARATOR}${field()})*?)?`;
  const own = CALLER_FIELDS.map((name) => field(name === 'rule' ? SAID_RULE : keptField(name)));
  const expression = `^\\.${SEPARATOR}${own.join(SEPARATOR)}${optional}${SEPARATOR}\\.$`;
  return conf`
    # What the check says about the caller, one field after the other.
    map ${answerHeader(FROM_CHECK.caller)} ${answerRule} {
      volatile; default "";
      ${regex('~', expression)} ${variable(SAID_RULE)};
    }
  `;
}
