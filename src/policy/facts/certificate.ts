import { optional } from '../forms/mapping.ts';
import { certificateName } from '../forms/workload-names.ts';
import { CERTIFICATE, type Evaluation, type Operator, REQUEST, type Valued } from './operator.ts';

type Certificate = Valued<'certificate'>;

export const evaluation: Evaluation<Certificate> = {
  on: REQUEST | CERTIFICATE,
  truth: (fact, context) => context.request?.named(fact.value),
};

/** The names in a client's certificate. */
export interface CertificateNames {
  readonly spiffe?: string;
  /** DNS names in lower case. */
  readonly dns: readonly string[];
}

/** Whether a certificate has a name: a SPIFFE id, a DNS name, or `*.` and a DNS name. The star stands for one label. */
export function isNamed({ spiffe, dns }: CertificateNames, name: string): boolean {
  if (name.startsWith('spiffe:')) return spiffe === name;
  if (!name.startsWith('*.')) return dns.includes(name);
  return dns.some((own) => own.slice(own.indexOf('.')) === name.slice(1) && own.indexOf('.') > 0);
}

const keys = () => ({
  certificate: optional(
    { decides: 'request', team: { may: 'certificates' } },
    certificateName,
    'The client’s certificate has this name: a SPIFFE id, a DNS name, or *. and a DNS name.',
  ),
});

export const operator: Operator<Certificate, typeof keys> = {
  keys,
  unsaid: () => 'the request has no certificate',
  never: (_, { certificates }) =>
    certificates
      ? undefined
      : 'no host requests certificates; write gateway.tls.client_ca_file, the CA that signs the certificates',
};
