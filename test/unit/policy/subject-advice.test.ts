import { expect, test } from 'vitest';
import { subjectAdvice } from '../../../src/policy/advice/recommendation.ts';
import { formatError, parsePolicy } from '../../../src/policy/index.ts';

interface Case {
  readonly okta?: string;
  readonly partner?: string;
  readonly issuer?: string;
  readonly partnerRoute?: string;
}

function advice({ okta = '', partner = '', issuer = 'https://partner.test', partnerRoute }: Case): readonly string[] {
  const route = partnerRoute ?? '/*: { service: wiki, allow: [guest] }';
  const { policy, errors } = parsePolicy(
    `version: 1
gateway: { tls: { cert_file: /c, key_file: /k, client_ca_file: /run/ca.pem } }
providers:
  okta: { issuer: https://okta.test, audiences: [wiki]${okta} }
  partner: { issuer: ${issuer}, audiences: [board]${partner} }
roles: { staff: { group: staff, provider: okta }, guest: { group: guests, provider: partner } }
services: { wiki: { url: https://wiki }, board: { url: https://board } }
hosts:
  wiki.test: { providers: [okta], /*: { service: wiki, allow: [staff] } }
  partner.test: { providers: [partner], /board: { service: board, allow: [guest] }, ${route} }
`,
    'p.yaml',
  );
  expect(errors.map(formatError)).toEqual([]);
  return subjectAdvice(policy!).map(({ at, path, text }) => `${at.line} ${path}: ${text}`);
}

const mixed = [
  expect.stringMatching(
    /^7 services\.wiki: this service cannot distinguish the subject ann of okta from the subject ann of partner/,
  ),
];

test('prefixes are advised if callers of two providers reach one service through two hosts', () => {
  expect(advice({})).toEqual(mixed);
  expect(advice({ okta: ', subject: { prefix: o- }' })).toEqual(mixed);
  expect(advice({ okta: ', subject: { prefix: o- }', partner: ', subject: { prefix: o-p- }' })).toEqual(mixed);
  expect(advice({ partnerRoute: '/x: { service: board, allow: [{ role: guest, service: wiki }] }' })).toEqual(mixed);
});

test('no advice is given if no two people can have one name', () => {
  expect(advice({ okta: ', subject: { prefix: o- }', partner: ', subject: { prefix: p- }' })).toEqual([]);
  expect(advice({ partnerRoute: '/x: { service: board, allow: [guest] }' })).toEqual([]);
  // Two audiences of one issuer: the same people.
  expect(advice({ issuer: 'https://okta.test' })).toEqual([]);
  // No token is accepted there.
  expect(advice({ partnerRoute: '/x: { service: wiki, accept: [certificate], allow: [authenticated] }' })).toEqual([]);
});
