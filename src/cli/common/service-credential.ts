import type { ServiceCredential } from '../../policy/checked/types.ts';
import { WrongUse } from './context.ts';

/** The `Authorization` header of a request, as a test or a command describes it: the scheme, and for a token its
 * beginning. The header gets a text after the scheme if the description has none. */
export const headerOf = (form: string): string => (form.includes(' ') ? form : `${form} x`);

/** Checks the value of `--service-credential`. It may be a whole token by mistake, so the error does not repeat it, as
 * errors about other flags do. */
export function checkForm(text: string | undefined): void {
  if (text === undefined || /^[A-Za-z][A-Za-z0-9._-]{0,31}(?: [A-Za-z0-9._~+/-]{1,16})?$/.test(text)) return;
  throw new WrongUse(
    '--service-credential: write the scheme, and for a token its beginning, as in Basic or "Bearer glsa_"; never a whole token',
  );
}

/** Describes which `Authorization` headers a route passes on. */
export function passesText({ schemes, bearer = [], services }: ServiceCredential): string {
  const tokens = bearer === 'opaque' ? ['opaque Bearer tokens'] : bearer.map((prefix) => `Bearer ${prefix}…`);
  return `Authorization of ${[...schemes, ...tokens].join(', ')}, to ${services.join(', ')}`;
}

/** What happens to an `Authorization` header that belongs to the service. */
export interface Passage {
  /** In lower case. */
  readonly scheme: string;
  /** The service that receives the header; absent: no service. */
  readonly to?: string;
  /** The service that receives the request without the header; absent: the request is denied. */
  readonly without?: string;
}

/** Describes in one line what happens to such a header. */
export function passageText({ scheme, to, without }: Passage, { services }: ServiceCredential): string {
  const what = `Authorization of ${scheme}`;
  if (to !== undefined) return `passed on ${what}, to ${to}; it identifies no caller`;
  if (without === undefined) return `not used  ${what}: it belongs to ${services.join(', ')}, and identifies no caller`;
  return `erased    ${what}: the rule leads to ${without}, and the header belongs to ${services.join(', ')}`;
}
