import { expect, test } from 'vitest';
import { parsePolicy } from '../../../src/policy/index.ts';

function reported(fact: string, match = '{ client_id: bot }'): readonly string[] {
  const text = `version: 1
providers: { p: { issuer: https://idp.test, audiences: [wiki] } }
services: { wiki: { url: https://wiki.internal:8443 } }
roles: { staff: ${fact} }
agents: { bot: { match: ${match}, acts_for: [staff], bound: none } }
hosts: { wiki.test: { /*: { service: wiki, allow: [staff, { agent: bot }] } } }
`;
  return parsePolicy(text, 'p.yaml').errors.map(({ path, message }) => `${path}: ${message}`);
}

// Several numbers of a token are read as one there, so that the fact would never be true, and the reason would not be visible.
test.each(['9007199254740993', '-9007199254740993', '1e300'])(
  'rejects the number %s as the value of a claim',
  (number) => {
    const message = /sends a larger number as a text, write the text$/;
    expect(reported(`{ claim: id, is: ${number} }`)).toEqual([expect.stringMatching(message)]);
    expect(reported(`{ claim: id, has: ${number} }`)).toEqual([expect.stringMatching(message)]);
    expect(reported('{ group: staff }', `{ claim: id, is: ${number} }`)).toEqual([expect.stringMatching(message)]);
  },
);

test.each(['9007199254740991', '-1', '0.5', '"9007199254740993"'])('accepts %s as the value of a claim', (value) => {
  expect(reported(`{ claim: id, is: ${value} }`)).toEqual([]);
});
