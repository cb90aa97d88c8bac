import { expect, test } from 'vitest';
import { headerAdvice } from '../../../src/policy/advice/recommendation.ts';
import { formatError, parsePolicy } from '../../../src/policy/index.ts';

function advice(headers: string, service = '', canary = ''): readonly string[] {
  const { policy, errors } = parsePolicy(
    `version: 1
providers: { okta: { issuer: https://login.example.com, audiences: [wiki] } }
roles: { staff: { group: staff }, beta: { group: beta } }
services:
  wiki: { url: https://wiki${service} }
  ${canary && 'canary: { url: https://canary }'}
${headers}
hosts:
  wiki.example.com:
    /*: { service: wiki, allow: [${canary || 'beta,'} staff] }
`,
    'p.yaml',
  );
  expect(errors.map(formatError)).toEqual([]);
  return headerAdvice(policy!).map(({ at, path, text }) => `${at.line} ${path}: ${text}`);
}

test('no list is advised for the usual headers, and for those that are erased with all their variants', () => {
  expect(advice('')).toEqual([]);
  expect(advice('headers: { X-Forwarded-User: subject, X-User: name, Custom: email }')).toEqual([]);
});

test('a list is advised for a service that receives a header of an open family', () => {
  expect(advice('headers: { x-webauth-user: subject, X-WEBAUTH-ROLE: { first_role: { staff: Editor } } }')).toEqual([
    '5 services.wiki: it receives x-webauth-user, but nginx erases only the documented names of X-WEBAUTH-*; write request_headers: [Accept, Accept-Encoding, Accept-Language, Cookie, Referer, User-Agent] and the other headers that its clients send',
  ]);
});

test('the variants of a header that the policy sets are suggested, unless they are set or erased', () => {
  const [text = '', ...more] = advice('headers: { X-Team-User: subject, X-Team-Groups: groups }');
  expect(more).toEqual([]);
  expect(text).toContain('5 services.wiki: it may read X-Team-Username, X-Team-Email, X-Team-Name, ');
  expect(text).toContain(
    'X-Team-Group, X-Team-Role, X-Team-Roles from clients, because the policy does not send them; write request_headers',
  );
});

test('a service that only a rule names is checked as well', () => {
  const found = advice('headers: { X-Team-User: subject }', '', '{ role: beta, service: canary },');
  expect(found.map((text) => text.split(':')[0])).toEqual(['5 services.wiki', '6 services.canary']);
});

test('no advice is given for a service that has a list, or cannot have one', () => {
  const headers = 'headers: { X-WEBAUTH-USER: subject, X-Team-User: subject }';
  expect(advice(headers, ', request_headers: [Accept]')).toEqual([]);
  expect(advice(headers, ', protocol: grpc')).toEqual([]);
});
