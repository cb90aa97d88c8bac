/** Variables of a policy: `${NAME}` in a value stands for a variable of the environment that the command allows. */

import { INVISIBLE, UNSEEN } from '../forms/unseen.ts';

/** The variables that the policy may use, by name. The value is undefined if the variable is not set. */
export type Variables = ReadonlyMap<string, string | undefined>;

/** A value with variables, after they have been replaced. */
export interface Expanded {
  /** The value as the file has it, as in `https://${HOST}/`. Errors show it in place of the text. */
  readonly source: string;
  /** The source with the values of the variables. */
  readonly text: string;
  /** What the policy has here: the text, or the number, `true` or `false` that the text says. */
  readonly value: unknown;
  /** The other reading of the text, if there is one. */
  readonly other?: unknown;
}

/** Replaces the variables in a value; undefined if the value has none.
 * @param plain - whether the value is written without quotes */
export type Expand = (value: string, plain: boolean) => Expanded | { readonly mistake: string } | undefined;

const NAME = '[A-Za-z_][A-Za-z0-9_]{0,127}';

/** Whether a text is the name of a variable. */
export const isVariable = (text: string): boolean => new RegExp(`^${NAME}$`).test(text);

const MAX_VALUE = 1000;

/** The forms that contain `${`: escaped, a variable, or a mistake. */
const FORMS = new RegExp(`\\$\\$\\{|\\$\\{(${NAME})\\}|\\$\\{`, 'g');

/** Returns the function that replaces these variables. It does not replace variables in the value of a variable.
 * @param refuse - returns why the file may not contain a variable; undefined if it may */
export const expandWith = (variables: Variables, refuse?: (name: string) => string | undefined): Expand => {
  return (source, plain) => {
    if (!source.includes('${')) return undefined;
    let mistake: string | undefined;
    const text = source.replace(FORMS, (form, name: string | undefined) => {
      if (form === '$${') return '${';
      mistake ??= name === undefined ? FORM : (refuse?.(name) ?? mistakeOf(name, variables));
      return (name === undefined ? undefined : variables.get(name)) ?? '';
    });
    if (mistake !== undefined) return { mistake };
    const entire = /^\$\{\w+\}$/.test(source);
    const declared = entire ? declaredBy(text) : undefined;
    const [value, other] = plain && declared !== undefined ? [declared, text] : [text, declared];
    return { source, text, value, ...(other !== undefined && { other }) };
  };
};

const FORM = 'after ${ comes the name of a variable and }, as in ${STAGE}; write $${ for these characters themselves';

function mistakeOf(name: string, variables: Variables): string | undefined {
  const value = variables.get(name);
  if (!variables.has(name)) {
    return `the variable ${name} is not allowed; allow it with --env ${name}, or write $\${${name}} for this text itself`;
  }
  if (value === undefined) return `the variable ${name} is not set; set it, or write the value itself`;
  if (value === '') return `the variable ${name} is empty; set it, or write the value itself`;
  if (value.length > MAX_VALUE) return `the value of ${name} is too long; write at most ${MAX_VALUE} characters`;
  return CONTROL.test(value) ? `the value of ${name} has a line break or a control character; remove it` : undefined;
}

const CONTROL = new RegExp(`[\\u0000-\\u001f\\u007f-\\u009f\\ufffd${INVISIBLE}]|${UNSEEN}`);

/** The number, `true` or `false` that a text says. Any other text is only a text, whatever it would mean in YAML. */
function declaredBy(text: string): number | boolean | undefined {
  if (/^-?(?:0|[1-9]\d{0,14})(?:\.\d{1,6})?$/.test(text)) return Number(text);
  return text === 'true' ? true : text === 'false' ? false : undefined;
}
