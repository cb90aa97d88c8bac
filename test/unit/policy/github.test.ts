import { expect, test } from 'vitest';
import { parsePolicy } from '../../../src/policy/index.ts';

/** What is said of a policy in which a role of jobs of GitHub Actions is this fact. */
function said(fact: string, more = ''): readonly string[] {
  const text = `version: 1
providers:
  github: { issuer: https://token.actions.githubusercontent.com, audiences: [wiki] }
${more}
services: { wiki: { url: https://wiki.internal:8443 } }
roles:
  ours: { claim: repository, is: acme/wiki${more === '' ? '' : ', provider: github'} }
  job: ${fact}
hosts:
  wiki.test: { ${more === '' ? '' : 'providers: [github, okta], '}/*: { service: wiki, allow: [job, ours] } }
`;
  return parsePolicy(text, 'p.yaml').errors.map(({ path, message }) => `${path}: ${message}`);
}

const okta = '  okta: { issuer: https://okta.test, audiences: [wiki], subject: { prefix: o- } }';

test.each([
  '{ claim: environment, is: prod }',
  '{ claim: ref, is: refs/heads/main }',
  '{ claim: sub, like: "*" }',
  '{ claim: sub, like: "*:environment:prod" }',
  '{ claim: sub, like: "repo:acme*" }',
  '{ claim: repository, like: "acme*" }',
  '{ claim: repository, like: "*/wiki" }',
  '{ claim: actor, is: ann }',
  // Anybody's job can use a workflow of another repository.
  '{ claim: job_workflow_ref, is: acme/wiki/.github/workflows/release.yaml@refs/heads/main }',
  '{ none: [{ claim: repository, is: acme/bad }] }',
  '{ all: [{ claim: environment, is: prod }, { none: [{ claim: repository_owner, is: evil }] }] }',
  '{ any: [{ claim: repository, is: acme/wiki }, { claim: ref, is: refs/heads/main }] }',
])('rejects a role that anybody on GitHub can have: %s', (fact) => {
  expect(said(fact)).toEqual([expect.stringMatching(/^roles\.job: anybody on GitHub can have this role/)]);
});

test.each([
  '{ claim: repository, is: acme/wiki }',
  '{ claim: repository_owner, is: acme }',
  '{ claim: repository_id, is: "74" }',
  '{ claim: repository, like: "acme/*" }',
  '{ claim: sub, is: "repo:acme/wiki:environment:prod" }',
  '{ claim: sub, like: "repo:acme/*" }',
  '{ all: [ours, { claim: environment, is: prod }] }',
  '{ all: [{ claim: environment, is: prod }, { claim: repository_owner_id, is: "7" }] }',
  '{ any: [{ claim: repository, is: acme/wiki }, { all: [ours, { claim: ref, is: refs/heads/main }] }] }',
])('takes a role that names a repository or an owner exactly: %s', (fact) => {
  expect(said(fact).filter((it) => it.includes('GitHub'))).toEqual([]);
});

test('a role of another provider names no repository', () => {
  expect(said('{ group: staff, provider: okta }', okta).filter((it) => it.includes('GitHub'))).toEqual([]);
  const both = '{ any: [{ group: staff, provider: okta }, { claim: environment, is: prod, provider: github }] }';
  expect(said(both, okta).filter((it) => it.includes('GitHub'))).toHaveLength(1);
});
