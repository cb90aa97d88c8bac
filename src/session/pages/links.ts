import { SIGNIN_PATH } from '../names.ts';
import { encodeUnreserved } from './escape.ts';

/** A raw request target as a link to a path of this origin; `/` if it is not one. */
export function pathOf(target: string): string {
  return /^\/(?![/\\])[\x21-\x7e]*$/.test(target) || target === '/' ? target : '/';
}

/** The link that begins a sign-in. `to` stands last and unchanged, so that nothing in it must be escaped.
 *
 * @param mode as in {@link SigninMode}
 * @param to raw request target to return to
 * @param provider absent: the gateway chooses
 */
export function signinHref(mode: string, to: string, provider?: string): string {
  const through = provider === undefined ? '' : `&provider=${encodeUnreserved(provider)}`;
  return `${SIGNIN_PATH}?${mode}${through}&to=${pathOf(to)}`;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The fields of the form that asks for an e-mail address. A browser encodes the fields: `in` becomes `in=`, and `to`
 * begins with `%2F` where a link's begins with `/`. */
export function signinFields(mode: string, to: string): readonly (readonly [name: string, value: string])[] {
  const fields = mode.split('&').map((field) => {
    const [name = '', value = ''] = field.split('=');
    return [name, decoded(value)] as const;
  });
  return [...fields, ['to', pathOf(to)]];
}

/** Expands the template of the link by which people ask for access (RFC 6570 level 1).
 *
 * @returns `undefined` if a page must not contain that link
 */
export function askHref(template: string, values: Readonly<Record<string, string | undefined>>): string | undefined {
  if (!/^(https?:\/\/|mailto:)/i.test(template)) return undefined;
  return template.replace(/\{(\w+)\}/g, (_, name: string) =>
    Object.hasOwn(values, name) ? encodeUnreserved(values[name] ?? '') : '',
  );
}

/** A link to an owner, if the owner is an e-mail address. */
export function ownerHref(owner: string): string | undefined {
  return /^[\w.+-]+@[A-Za-z0-9.-]+$/.test(owner) ? `mailto:${owner}` : undefined;
}
