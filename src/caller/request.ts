import type { Fact } from '../policy/types.ts';
import type { Truth } from './facts.ts';

/** Names of a client by its certificate. */
export interface CertificateNames {
  readonly spiffe?: string;
  /** In lower case. */
  readonly dns: readonly string[];
}

/** What a request says beside its token. */
export interface RequestView {
  /** Whether the client's address is in one of these ranges; undefined: the address is not known. */
  readonly within: (ranges: readonly string[]) => Truth;
  /** Whether its certificate has this name; undefined: it showed none that is good. */
  readonly named: (name: string) => Truth;
}

/** A fact of the request and not of the token. */
export type RequestFact = Extract<Fact, { op: 'network' | 'certificate' }>;

/** Whether a fact is about the request and not the token. */
export const isRequestFact = (fact: Fact): fact is RequestFact => fact.op === 'network' || fact.op === 'certificate';

/** Whether a fact holds of a request; not known where nothing is known of the request. */
export function requestTruth(fact: RequestFact, request: RequestView | undefined): Truth {
  return fact.op === 'network' ? request?.within(fact.value) : request?.named(fact.value);
}

/**
 * Whether a certificate has a name.
 *
 * @param name a SPIFFE id, a DNS name, or `*.` and a DNS name, where the star stands for one label
 */
export function isNamed({ spiffe, dns }: CertificateNames, name: string): boolean {
  if (name.startsWith('spiffe:')) return spiffe === name;
  if (!name.startsWith('*.')) return dns.includes(name);
  return dns.some((own) => own.slice(own.indexOf('.')) === name.slice(1) && own.indexOf('.') > 0);
}
