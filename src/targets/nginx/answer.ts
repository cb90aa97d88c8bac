import { CALLER_FIELDS, FROM_CHECK } from '../../internal-headers.ts';
import { alwaysField, isLong } from '../../rules/carrier.ts';
import { block, commented, type Directive, line, literal, regex, variable } from './directive.ts';
import { answerHeader, headerVariable, keptField } from './names.ts';
import type { Scene } from './scene.ts';

const SEPARATOR = '\\x09';

/** Some text without the separator, taken whole: kept as a variable, or skipped. */
const field = (name?: string): string => (name === undefined ? '[^\\x09]*+' : `(?<${name}>[^\\x09]*+)`);

/** The rule as the expression finds it. It is kept apart, so that an answer without fields has none. */
const SAID_RULE = 'meshgate_said_rule';

const ANSWER = 'meshgate_answer';

/** The rule that an answer of the check names; reading it fills the variables of the other fields. */
export const answerRule = variable(ANSWER);

/**
 * Takes the fields of an answer apart. Each check is read anew (`volatile`). What does not match in full, such as an answer
 * of something else in the place of the check, names no rule, and so leads nowhere.
 */
export function answerMap({ hosts, headerNames }: Pick<Scene, 'hosts' | 'headerNames'>): Directive {
  const headers = hosts.flatMap(({ routes }) => routes.flatMap((route) => route.headers));
  const isField = (index: number) =>
    headers.some((it) => it.index === index && alwaysField(it.source) === undefined && !isLong(it.source));
  const named = headerNames.map((_, index) => (isField(index) ? headerVariable(index) : undefined));
  // Only routes with such headers have fields for them; behind the last of them nothing is kept.
  const last = Math.max(-1, ...named.flatMap((name, index) => (name === undefined ? [] : [index])));
  const identity = named.slice(0, last + 1).map((name) => SEPARATOR + field(name));
  const optional = last < 0 ? '' : `(?:${identity.join('')}(?:${SEPARATOR}${field()})*?)?`;
  const own = CALLER_FIELDS.map((name) => field(name === 'rule' ? SAID_RULE : keptField(name)));
  const expression = `^\\.${SEPARATOR}${own.join(SEPARATOR)}${optional}${SEPARATOR}\\.$`;
  return commented(
    'What the check says of the caller, field by field.',
    block(
      'map',
      [answerHeader(FROM_CHECK.caller), answerRule],
      [
        line('volatile'),
        { ...line('default', literal('')), beside: true },
        line(regex('~', expression), variable(SAID_RULE)),
      ],
    ),
  );
}
