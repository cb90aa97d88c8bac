import { expect, test } from 'vitest';
import { formatError, parsePolicy } from '../../../src/policy/index.ts';
import { compile } from '../../../src/rules/compile.ts';
import { monitoredFiles } from '../../../src/rules/table/policy-files.ts';
import { toTable } from '../../../src/rules/table/table.ts';

function policyOf(audit: string) {
  const { policy, errors } = parsePolicy(
    `version: 1
gateway: { insecure_http: true${audit} }
providers:
  okta: { issuer: https://example.okta.com/oauth2/default, audiences: [wiki], subject: { prefix: o- } }
  kc: { issuer: https://login.example.com/realms/main, audiences: [wiki], subject: { prefix: k- } }
roles:
  staff: { group: staff, provider: okta }
  ops: { all: [staff, { claim: team, like: ops-*, provider: okta }, { none: [{ claim: team, is: away, provider: okta }] }] }
  writer: { scope: write, provider: kc }
  recent: { all: [writer, { max_age: 5m }, { provider: kc }] }
services:
  wiki: { url: https://wiki.example.com }
hosts:
  wiki.example.com:
    providers: [okta, kc]
    /*: { service: wiki, allow: [ops, staff, recent, writer] }
`,
    'meshgate.yaml',
  );
  if (policy === undefined) throw new Error(errors.map(formatError).join('\n'));
  return policy;
}

function tableOf(audit: string) {
  const policy = policyOf(audit);
  return toTable(policy, compile(policy), { egress: '/e', check: '/c' });
}

test('a line has the claims that roles read, for each provider, with what the policy compares them with', () => {
  const { logged } = tableOf(', audit: { claims: true }');
  expect(logged?.okta).toEqual(
    expect.arrayContaining([
      { path: 'groups', values: ['staff'] },
      { path: 'team', values: ['away'], likes: ['ops-*'] },
    ]),
  );
  expect(logged?.kc?.map(({ path }) => path)).toEqual(expect.arrayContaining(['scope', 'auth_time']));
  expect(JSON.stringify(logged?.kc)).not.toContain('staff');
});

test('without gateway.audit.claims, a line has no claims, and callers stay as they were', () => {
  const [none, audited] = [tableOf(''), tableOf(', audit: {}')];
  expect([none.logged, audited.logged, audited.pseudonyms]).toEqual([undefined, undefined, undefined]);
  expect(audited.selection).toBe(none.selection);
  expect(audited.answerRoom).toBe(none.answerRoom);
});

test('callers that were kept without claims are not used again', () => {
  const table = tableOf(', audit: { claims: true, pseudonyms: { key_file: /run/keys/p.jwks } }');
  expect(table.selection).not.toBe(tableOf('').selection);
  expect(table.pseudonyms).toBe('/run/keys/p.jwks');
});

test('the health check reads the file of the keys for pseudonyms', () => {
  const audit = ', audit: { pseudonyms: { key_file: /run/keys/p.jwks } }';
  expect(monitoredFiles(policyOf(audit))).toContainEqual({ kind: 'pseudonyms', name: '', path: '/run/keys/p.jwks' });
  expect(monitoredFiles(policyOf(', audit: {}')).map(({ kind }) => kind)).not.toContain('pseudonyms');
});
