import { expect, test } from 'vitest';
import { parsePolicy } from '../../../src/policy/index.ts';

const TENANT = 'https://login.microsoftonline.com/11111111-1111-1111-1111-111111111111/v2.0';

/** The errors of a policy whose provider has this issuer, these keys, this role and this agent. */
function reported(fact: string, subject = '', match = '{ client_id: bot }', issuer = TENANT): readonly string[] {
  const text = `version: 1
providers: { p: { issuer: "${issuer}", audiences: [wiki]${subject} } }
services: { wiki: { url: https://wiki.internal:8443 } }
roles: { staff: ${fact} }
agents: { bot: { match: ${match}, acts_for: [staff], bound: none } }
hosts: { wiki.test: { /*: { service: wiki, allow: [staff, { agent: bot }] } } }
`;
  return parsePolicy(text, 'p.yaml').errors.map(({ path, message }) => `${path}: ${message}`);
}

// `x@evil@corp.example` is like `*@corp.example`.
test.each(['preferred_username', 'upn', 'unique_name'])(
  'rejects a part of %s of Entra ID as a fact, and it as a subject',
  (claim) => {
    const part = `{ claim: ${claim}, like: "*@corp.example" }`;
    expect(reported(part)).toEqual([expect.stringMatching(/^roles\.staff\.like: .*; write a group/)]);
    expect(reported(`{ all: [{ group: staff }, ${part}] }`)).toEqual([
      expect.stringMatching(/^roles\.staff\.all\[1\]\.like: /),
    ]);
    expect(reported('{ group: staff }', '', part)).toEqual([expect.stringMatching(/^agents\.bot\.match\.like: /)]);
    expect(reported('{ group: staff }', `, subject: { claim: ${claim} }`)).toEqual([
      expect.stringMatching(/^providers\.p\.subject\.claim: .*; write oid/),
    ]);
  },
);

test('accepts values that Entra ID vouches for', () => {
  expect(reported('{ claim: email, like: "*@corp.example" }', ', subject: { claim: oid }')).toEqual([]);
  expect(reported('{ claim: roles, like: "Wiki.*" }', ', subject: { claim: email }')).toEqual([]);
});

test('accepts the names of providers that issue them', () => {
  const keycloak = 'https://kc.test/realms/main';
  const part = '{ claim: preferred_username, like: "staff-*" }';
  expect(reported(part, ', subject: { claim: preferred_username }', '{ client_id: bot }', keycloak)).toEqual([]);
});
