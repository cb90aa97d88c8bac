import * as z from 'zod';
import { hints } from '../forms/hints.ts';
import { togethers } from '../forms/mapping.ts';
import { plainText } from '../forms/scalars.ts';

/* Parameters of the authorization request that only some providers know, such as `kc_idp_hint` or `audience`. The file
 * check/callers/clients.ts rejects those that a policy may not set. */

/** The form of a parameter's name. Every name that providers document has it. */
export const PARAMETER = /^[A-Za-z][\w.:-]{0,63}$/;

/** With more parameters, the URL might be too long for the provider. */
export const MAX_PARAMETERS = 16;

export const parameters = z
  .record(z.string(), plainText)
  .register(togethers, { notEmpty: 'nothing in it; write { kc_idp_hint: partners }, or remove it' })
  .register(hints, { what: 'a mapping of parameters', write: '{ kc_idp_hint: partners }' })
  .meta({
    propertyNames: { pattern: PARAMETER.source },
    maxProperties: MAX_PARAMETERS,
    description:
      'Further parameters of the authorization request, by name. They are not secret: the browser sees them.',
  });
