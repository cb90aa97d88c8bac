import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { readClientSvid } from '../../../src/token/escaped-certificate.ts';
import { elementAt, within } from '../../../src/x509/der.ts';
import { type Ca, createCa, type Subject } from '../../harness/pki.ts';
import { holds } from '../../harness/property.ts';

const ID = 'spiffe://example.org/ns/wiki/sa/wiki';

/** As nginx escapes a certificate: everything but letters, digits and `-_.~`. */
const escaped = (pem: string) =>
  encodeURIComponent(pem).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
const bytesOf = (pem: string) => Buffer.from(pem.replace(/-----[^-]+-----|\n/g, ''), 'base64');
const pemOf = (bytes: Uint8Array) => {
  const lines =
    Buffer.from(bytes)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
};

let ca: Ca;
let good: Buffer;
beforeAll(async () => {
  ca = await createCa();
  good = bytesOf((await ca.client(ID)).cert);
});

const read = (bytes: Uint8Array) => readClientSvid(escaped(pemOf(bytes)));
const of = async (subject: Subject) => readClientSvid(escaped((await ca.issue(subject)).cert));

describe('the SPIFFE id of a certificate', () => {
  test.each<[string, Subject]>([
    ['its only name', { uris: [ID] }],
    ['beside DNS names and addresses', { uris: [ID], dns: ['wiki.test', 'a.b'], ips: ['10.0.0.1'] }],
    ['of a certificate with a subject', { uris: [ID], commonName: 'spiffe://example.org/another' }],
    ['of an RSA key, whose certificate is longer', { uris: [ID], keyType: 'rsa' }],
  ])('%s', async (_, subject) => {
    expect(await of(subject)).toEqual({
      ok: true,
      value: {
        spiffe: ID,
        notBefore: expect.any(Number),
        notAfter: expect.any(Number),
        thumbprint: expect.stringMatching(/^[\w-]{43}$/),
      },
    });
  });

  const proofInvalid = (detail: string) => ({ ok: false, reason: 'proof_invalid', detail });

  test('a missing certificate is a reason of its own', () => {
    expect(readClientSvid('')).toEqual({ ok: false, reason: 'proof_missing' });
  });

  test('two URIs, or none, are rejected', async () => {
    const two = proofInvalid('the client certificate has more than one URI');
    const none = proofInvalid('the client certificate has no URI, and so no SPIFFE id');
    expect(await of({ uris: [ID, ID] })).toEqual(two);
    expect(await of({ uris: [ID, 'https://example.org/'] })).toEqual(two);
    expect(await of({ dns: ['wiki.test'] })).toEqual(none);
    expect(await of({ commonName: ID })).toEqual(none);
  });

  test.each([
    'https://example.org/ns/wiki/sa/wiki',
    'SPIFFE://example.org/wiki',
    'spiffe://example.org',
    'spiffe://example.org/',
    'spiffe://example.org//wiki',
    'spiffe://example.org/wiki/',
    'spiffe://example.org/./wiki',
    'spiffe://example.org/ns/../wiki',
    'spiffe://Example.org/wiki',
    'spiffe://user@example.org/wiki',
    'spiffe://example.org:8443/wiki',
    'spiffe://example.org/wiki?a=b',
    'spiffe://example.org/wiki#a',
    'spiffe://example.org/wi%6bi',
    'spiffe:///wiki',
    'spiffe://example.org/wiki ',
    `spiffe://example.org/${'a'.repeat(2048)}`,
  ])('%j is rejected', async (uri) => {
    expect(await of({ uris: [uri] })).toEqual(
      proofInvalid('the URI of the client certificate is not the SPIFFE id of a workload'),
    );
  });
});

/** The bytes with one element's content replaced, and the lengths of all around it adapted. */
function put(
  bytes: Uint8Array,
  path: readonly number[],
  make: (element: Buffer<ArrayBufferLike>) => Buffer<ArrayBufferLike>,
): Buffer<ArrayBufferLike> {
  const top = elementAt(bytes, 0)!;
  const [index, ...rest] = path;
  if (index === undefined) return make(Buffer.from(bytes));
  const children = within(top, top.tag)!.map(
    ({ start, end }, i, all): Buffer =>
      Buffer.from(bytes.subarray(i === 0 ? top.start : all[i - 1]!.end, Math.max(start, end))),
  );
  children[index] = put(children[index]!, rest, make);
  return element(top.tag, Buffer.concat(children));
}

function lengthOf(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length]);
  return length < 0x100 ? Buffer.from([0x81, length]) : Buffer.from([0x82, length >> 8, length & 0xff]);
}

const element = (tag: number, content: Uint8Array) =>
  Buffer.concat([Buffer.from([tag]), lengthOf(content.length), content]);

const oid = Buffer.from([0x06, 0x03, 0x55, 0x1d, 0x11]);
const octets = (content: Uint8Array) => element(0x04, content);
const name = (text: string, tag = 0x86) => element(tag, Buffer.from(text, 'latin1'));
const names = (...all: Buffer[]) => element(0x30, Buffer.concat([oid, octets(element(0x30, Buffer.concat(all)))]));

/** The positions of the extensions, and of the extension with the names, in {@link good}. */
function places(): { extensions: number[]; san: number } {
  const tbs = within(elementAt(good, 0)!)![0]!;
  const fields = within(tbs)!;
  const at = fields.findIndex(({ tag }) => tag === 0xa3);
  const list = within(fields[at]!, 0xa3)![0]!;
  const san = within(list)!.findIndex(({ start }) => good.subarray(start, start + 5).equals(oid));
  return { extensions: [0, at, 0], san };
}

const withNames = (made: Buffer) => {
  const { extensions, san } = places();
  return put(good, [...extensions, san], () => made);
};

describe('hostile DER', () => {
  const unreadable = { ok: false, reason: 'proof_invalid', detail: 'the client certificate cannot be read' };

  test('the test helper rebuilds a certificate unchanged', () => {
    expect(withNames(names(name(ID)))).not.toEqual(good);
    expect(read(withNames(names(name(ID))))).toMatchObject({ ok: true, value: { spiffe: ID } });
    expect(put(good, [0, 1], (it) => it)).toEqual(good);
  });

  test('two extensions of names', () => {
    const { extensions } = places();
    const twice = put(good, extensions, (list) => {
      const { start } = elementAt(list, 0)!;
      return element(0x30, Buffer.concat([names(name('spiffe://example.org/other')), list.subarray(start)]));
    });
    expect(read(twice)).toEqual(unreadable);
  });

  test.each<[string, () => Buffer]>([
    ['more after the certificate', () => Buffer.concat([good, Buffer.from([0])])],
    ['a fourth part', () => element(0x30, Buffer.concat([good.subarray(4), name('x')]))],
    ['names that end early', () => withNames(element(0x30, Buffer.concat([oid, octets(Buffer.from([0x30, 2]))])))],
    [
      'names with more after them',
      () => withNames(element(0x30, Buffer.concat([oid, octets(Buffer.concat([element(0x30, name(ID)), name(ID)]))]))),
    ],
    ['names that are no sequence', () => withNames(element(0x30, Buffer.concat([oid, octets(name(ID))])))],
    ['an extension without a value', () => withNames(element(0x30, oid))],
    ['an extension without a name', () => withNames(element(0x30, octets(name(ID))))],
    ['an invalid extension', () => withNames(name(ID))],
    ['an indefinite length', () => withNames(Buffer.concat([Buffer.from([0x30, 0x80]), oid, Buffer.from([0, 0])]))],
    ['a length of five bytes', () => withNames(Buffer.from([0x30, 0x85, 0, 0, 0, 0, 0]))],
    ['a length of 127 bytes', () => withNames(Buffer.from([0x30, 0xff, 0xff, 0xff, 0xff]))],
    ['a length that is longer than need be', () => withNames(Buffer.from([0x30, 0x81, 5, ...oid]))],
    ['a length with a leading zero', () => withNames(Buffer.from([0x30, 0x82, 0, 5, ...oid]))],
    ['a length beyond the end', () => withNames(Buffer.from([0x30, 0x83, 0xff, 0xff, 0xff]))],
    ['a tag of several bytes', () => withNames(Buffer.from([0x3f, 0x81, 0x01, 0x00]))],
    ['nothing', () => Buffer.alloc(0)],
    ['one byte', () => Buffer.from([0x30])],
  ])('%s', (_, make) => {
    expect(read(make())).toEqual(unreadable);
  });

  test('nested in itself a thousand times', () => {
    let nested: Buffer = name(ID);
    for (let i = 0; i < 1000; i++) nested = element(0x30, nested);
    expect(read(nested)).toEqual(unreadable);
    expect(read(withNames(names(nested)))).toMatchObject({ detail: expect.stringContaining('no URI') });
  });

  test('a URI of another tag, or inside another name, is ignored', () => {
    for (const tag of [0x82, 0x81, 0x16, 0xa6, 0x06]) {
      expect(read(withNames(names(name(ID, tag))))).toMatchObject({ detail: expect.stringContaining('no URI') });
    }
    expect(read(withNames(names(element(0xa0, name(ID)))))).toMatchObject({
      detail: expect.stringContaining('no URI'),
    });
  });

  test.each(['wiki\n', 'wiki\0', 'wiki\0.evil.test/x', 'wik\u00ef', '\x7f'])('%j in a URI', async (end) => {
    expect(read(withNames(names(name(`spiffe://example.org/${end}`))))).toEqual(unreadable);
  });

  test('text that is not a PEM of one certificate', () => {
    const pem = pemOf(good);
    for (const text of [
      pem + pem,
      pem.replace('CERTIFICATE', 'TRUSTED CERTIFICATE'),
      pem.slice(0, -30),
      good.toString('base64'),
      `-----BEGIN CERTIFICATE-----\n${'A'.repeat(20_000)}\n-----END CERTIFICATE-----\n`,
    ]) {
      expect(readClientSvid(escaped(text))).toEqual(unreadable);
    }
    expect(readClientSvid('%')).toEqual(unreadable);
    expect(readClientSvid('%ff%fe')).toEqual(unreadable);
  });

  test('any byte altered, or all after any byte missing: no error is thrown, and no other id is read', () => {
    const place = fc.record({ at: fc.nat(good.length - 1), value: fc.nat(255), cut: fc.boolean() });
    holds(
      fc.property(place, ({ at, value, cut }) => {
        const bytes = Buffer.from(cut ? good.subarray(0, at) : good);
        if (!cut) bytes[at] = value;
        const id = read(bytes);
        const inside = good.indexOf(ID) <= at && at < good.indexOf(ID) + ID.length;
        if (id.ok && !inside) expect(id.value.spiffe).toBe(ID);
        if (!id.ok) expect(id.reason).toBe('proof_invalid');
        if (cut) expect(id.ok).toBe(false);
      }),
      2000,
    );
  });
});
