import { audiences, bindings, clients, dates, subjects, types } from './claims.ts';
import { format, headers, payloads } from './format.ts';
import { algorithms, issuers, keys, signatures } from './signature.ts';
import type { Spec } from './spec.ts';

/** Every spec; the order is that of the verification. */
export const specs: readonly Spec[] = [
  ...format,
  ...headers,
  ...payloads,
  ...issuers,
  ...algorithms,
  ...keys,
  ...signatures,
  ...dates,
  ...audiences,
  ...clients,
  ...types,
  ...subjects,
  ...bindings,
];
