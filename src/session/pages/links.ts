import { ownOf } from '../../base/own.ts';
import { SIGNIN_PATH } from '../names.ts';
import { encodeUnreserved } from './escape.ts';

/** Returns a link to the path in a raw request target; `/` if the target is not a path of this origin. */
export function linkTo(target: string): string {
  return /^\/(?![/\\])[\x21-\x7e]*$/.test(target) || target === '/' ? target : '/';
}

/** Returns the link that begins a sign-in. `to` is the last parameter, so nothing in it must be escaped.
 * @param mode see {@link SigninMode}
 * @param to the raw request target to which the sign-in returns
 * @param provider name of the provider; absent: the gateway chooses */
export function signinHref(mode: string, to: string, provider?: string): string {
  const through = provider === undefined ? '' : `&provider=${encodeUnreserved(provider)}`;
  return `${SIGNIN_PATH}?${mode}${through}&to=${linkTo(to)}`;
}

/** Decodes percent-encoding; a text that cannot be decoded is not changed. */
export function decodePercent(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Returns the fields of the form for an e-mail address. Browsers encode them: `in` as `in=`, `to` with `%2F`. */
export function signinFields(mode: string, to: string): readonly (readonly [name: string, value: string])[] {
  const fields = mode.split('&').map((field) => {
    const [name = '', value = ''] = field.split('=');
    return [name, decodePercent(value)] as const;
  });
  return [...fields, ['to', linkTo(to)]];
}

/** Expands the template of the link with which people ask for access (RFC 6570 level 1).
 * @returns `undefined` if a page must not contain that link */
export function askHref(template: string, values: Readonly<Record<string, string | undefined>>): string | undefined {
  if (!/^(https?:\/\/|mailto:)/i.test(template)) return undefined;
  return template.replace(/\{(\w+)\}/g, (_, name: string) => encodeUnreserved(ownOf(values, name) ?? ''));
}

/** Returns a link to an owner, if the owner is an e-mail address. */
export function ownerHref(owner: string): string | undefined {
  return /^[\w.+-]+@[A-Za-z0-9.-]+$/.test(owner) ? `mailto:${owner}` : undefined;
}
