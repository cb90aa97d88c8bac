import { X509Certificate } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { readClientCertificate } from '../../../src/token/escaped-certificate.ts';
import { type Ca, createCa, type Subject } from '../../harness/pki.ts';

const ID = 'spiffe://example.org/ns/ci/sa/deployer';

let ca: Ca;
beforeAll(async () => {
  ca = await createCa();
});

const of = async (subject: Subject) => readClientCertificate(encodeURIComponent((await ca.issue(subject)).cert));
const names = (value: object) => ({ ok: true, value: expect.objectContaining(value) });
const proofInvalid = (detail: string) => ({ ok: false, reason: 'proof_invalid', detail });

describe('the holder of a client certificate', () => {
  test.each<[string, Subject, object]>([
    ['a workload', { uris: [ID] }, { spiffe: ID, dns: [] }],
    [
      'a workload with DNS names',
      { uris: [ID], dns: ['ci.test', 'CI.example.com'] },
      { spiffe: ID, dns: ['ci.test', 'ci.example.com'] },
    ],
    ['a machine', { dns: ['ci.test'], ips: ['10.0.0.1'] }, { dns: ['ci.test'] }],
    ['a web address is not a name', { dns: ['ci.test'], uris: ['https://ci.test/'] }, { dns: ['ci.test'] }],
    ['a pattern is not a name', { dns: ['*.ci.test', 'ci.test'] }, { dns: ['ci.test'] }],
    ['a subject alone', { commonName: 'ci' }, { dns: [] }],
  ])('%s', async (_, subject, value) => {
    expect(await of(subject)).toEqual(names(value));
  });

  test('has the thumbprint and the expiry that other programs compute', async () => {
    const { cert } = await ca.issue({ dns: ['ci.test'] });
    const read = new X509Certificate(cert);
    expect(readClientCertificate(encodeURIComponent(cert))).toEqual(
      names({
        thumbprint: Buffer.from(read.fingerprint256.replaceAll(':', ''), 'hex').toString('base64url'),
        notAfter: Date.parse(read.validTo) / 1000,
      }),
    );
  });

  test.each<[string, Subject, string]>([
    ['two SPIFFE ids', { uris: [ID, `${ID}-2`] }, 'the client certificate has more than one SPIFFE id'],
    [
      'one that names no workload',
      { uris: ['spiffe://example.org'] },
      'the URI of the client certificate is not the SPIFFE id of a workload',
    ],
    [
      'one in capitals',
      { uris: [ID.replace('spiffe', 'SPIFFE')] },
      'the URI of the client certificate is not the SPIFFE id of a workload',
    ],
  ])('%s: rejected', async (_, subject, detail) => {
    expect(await of(subject)).toEqual(proofInvalid(detail));
  });

  test('a missing certificate, and invalid text', () => {
    expect(readClientCertificate('')).toEqual({ ok: false, reason: 'proof_missing' });
    for (const text of ['x', '%', '-----BEGIN%20CERTIFICATE-----%0AAAAA%0A-----END%20CERTIFICATE-----%0A']) {
      expect(readClientCertificate(text)).toEqual(proofInvalid('the client certificate cannot be read'));
    }
  });

  test('two certificates are not one', async () => {
    const { cert } = await ca.issue({ dns: ['ci.test'] });
    expect(readClientCertificate(encodeURIComponent(cert + cert))).toEqual(
      proofInvalid('the client certificate cannot be read'),
    );
  });
});
