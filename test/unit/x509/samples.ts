import { readCertificate } from '../../../src/x509/certificate.ts';
import { readClientUse } from '../../../src/x509/client-use.ts';
import { entire, readTime } from '../../../src/x509/der.ts';
import { belongs } from '../../../src/x509/key.ts';
import { readPem } from '../../../src/x509/pem.ts';
import type { Sample } from '../caller/samples.ts';

/** An SVID as SPIRE makes them (EC P-256), valid from 2026-01-02T03:04:05Z for an hour, and its key: made for this
 * test. */
export const svid = `-----BEGIN CERTIFICATE-----
MIIBzDCCAXKgAwIBAgIQEYbcVwkxFdmCKPYCrDMNFTAKBggqhkjOPQQDAjAWMRQw
EgYDVQQDEwtleGFtcGxlLm9yZzAeFw0yNjAxMDIwMzA0MDVaFw0yNjAxMDIwNDA0
MDVaMAAwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAASp9DH0KQbblWXoFEDrkB9H
O3dZdy/wJYVWgvmhLPDF5wFXAAC4L7ohI3+z9lebTgllfGS+k1OQ8WpShbHC2sGw
o4G3MIG0MAwGA1UdEwEB/wQCMAAwDgYDVR0PAQH/BAQDAgeAMB0GA1UdJQQWMBQG
CCsGAQUFBwMBBggrBgEFBQcDAjAdBgNVHQ4EFgQUVmeEm6kSGeTMsDsvZu7gIRXo
TZwwHwYDVR0jBBgwFoAUXGj9Fv6UKAh2NWRGyM6TLq3QqC0wNQYDVR0RAQH/BCsw
KYYnc3BpZmZlOi8vZXhhbXBsZS5vcmcvbnMvZWRnZS9zYS9nYXRld2F5MAoGCCqG
SM49BAMCA0gAMEUCICVd1ODkhweL5QeAqzBwov0RN1lXzHj1hcy/4Al/QTSOAiEA
6q7OQEK8XWSazNDvKG/WjQBhqj/gOSa5sio6+zhzu0o=
-----END CERTIFICATE-----
`;
export const svidKey = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgSxdsBd2gZ8SRqDNJ
cnV8LCzpEkWXH4LCGPk/5krsrLWhRANCAASp9DH0KQbblWXoFEDrkB9HO3dZdy/w
JYVWgvmhLPDF5wFXAAC4L7ohI3+z9lebTgllfGS+k1OQ8WpShbHC2sGw
-----END PRIVATE KEY-----
`;

/** The element of a time, from its tag and text. */
export function timeElement(tag: number, text: string) {
  return entire(Uint8Array.from([tag, text.length, ...Array.from(text, (char) => char.charCodeAt(0))]));
}

const UTC = 0x17;
const GENERALIZED = 0x18;

const time = (tag: number, text: string, wanted: string | undefined): Sample => ({
  name: `the time ${text} of tag ${tag}`,
  got: () => readTime(timeElement(tag, text)),
  wanted: wanted === undefined ? undefined : Date.parse(wanted) / 1000,
});

const read = () => readCertificate(readPem(svid)?.[0]?.bytes ?? new Uint8Array());

/** The results of the readers, in Node as in njs. */
export const x509Samples: readonly Sample[] = [
  time(UTC, '260102030405Z', '2026-01-02T03:04:05Z'),
  time(UTC, '491231235959Z', '2049-12-31T23:59:59Z'),
  time(UTC, '500101000000Z', '1950-01-01T00:00:00Z'),
  time(UTC, '240229000000Z', '2024-02-29T00:00:00Z'),
  time(UTC, '250229000000Z', undefined),
  time(UTC, '260102030460Z', undefined),
  time(UTC, '261302030405Z', undefined),
  time(UTC, '260102240000Z', undefined),
  time(UTC, '2601020304Z', undefined),
  time(UTC, '260102030405', undefined),
  time(UTC, '260102030405+0100', undefined),
  time(UTC, '20260102030405Z', undefined),
  time(GENERALIZED, '20260102030405Z', '2026-01-02T03:04:05Z'),
  time(GENERALIZED, '99991231235959Z', '9999-12-31T23:59:59Z'),
  time(GENERALIZED, '00010101000000Z', '0001-01-01T00:00:00Z'),
  time(GENERALIZED, '20260102030405.5Z', undefined),
  time(GENERALIZED, '260102030405Z', undefined),
  time(0x13, '260102030405Z', undefined),
  { name: 'notBefore', got: () => read()?.notBefore, wanted: Date.parse('2026-01-02T03:04:05Z') / 1000 },
  { name: 'notAfter', got: () => read()?.notAfter, wanted: Date.parse('2026-01-02T04:04:05Z') / 1000 },
  { name: 'URIs', got: () => read()?.uris, wanted: ['spiffe://example.org/ns/edge/sa/gateway'] },
  {
    name: 'use by a client',
    got: () => readClientUse(readPem(svid)![0]!.bytes),
    wanted: { isRsa: false, isForClients: true, firstName: 'spiffe://example.org/ns/edge/sa/gateway' },
  },
  {
    name: 'certificate and key',
    got: () => belongs(readPem(svidKey)![0]!, read()!.publicKey),
    wanted: true,
  },
  {
    name: 'labels of a PEM text',
    got: () => readPem(`Bag Attributes\n${svidKey}\r\n${svid}`)?.map(({ label }) => label),
    wanted: ['PRIVATE KEY', 'CERTIFICATE'],
  },
];
