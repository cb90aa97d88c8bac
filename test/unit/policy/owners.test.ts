import { expect, test } from 'vitest';
import { parsePolicy } from '../../../src/policy/index.ts';

/** The errors of a policy in which a role for jobs of GitHub Actions has this fact. */
function reported(fact: string, more = ''): readonly string[] {
  const text = `version: 1
gateway: { tls: { cert_file: /run/c.pem, key_file: /run/k.pem, client_ca_file: /run/clients.pem } }
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
  // Any job can use a workflow of another repository.
  '{ claim: job_workflow_ref, is: acme/wiki/.github/workflows/release.yaml@refs/heads/main }',
  // Each repository chooses the form of its subject.
  '{ claim: sub, is: "environment:prod" }',
  '{ claim: sub, is: "job_workflow_ref:acme/wiki/.github/workflows/release.yaml@refs/heads/main" }',
  '{ claim: sub, is: "actor:repo:acme/wiki" }',
  '{ claim: sub, like: "repository_owner:acme*" }',
  // A text has words, and the rest of it can be chosen by any account.
  '{ claim: sub, has: "repo:acme/wiki:environment:prod" }',
  // Any job runs on a machine of GitHub's, and any holder of a certificate gets a token.
  '{ all: [{ network: [192.0.2.0/24] }, { claim: environment, is: prod }] }',
  '{ all: [{ network: [192.0.2.0/24] }, { provider: github }] }',
  '{ all: [{ certificate: "*.ci.test" }, { claim: environment, is: prod }] }',
  '{ any: [{ network: [192.0.2.0/24] }, { claim: environment, is: prod }] }',
  '{ none: [{ claim: repository, is: acme/bad }] }',
  '{ all: [{ claim: environment, is: prod }, { none: [{ claim: repository_owner, is: evil }] }] }',
  '{ any: [{ claim: repository, is: acme/wiki }, { claim: ref, is: refs/heads/main }] }',
])('rejects a role that any account on GitHub can have: %s', (fact) => {
  expect(reported(fact)).toEqual([expect.stringMatching(/^roles\.job: anyone on GitHub can have this role/)]);
});

test.each([
  '{ claim: repository, is: acme/wiki }',
  '{ claim: repository_owner, is: acme }',
  '{ claim: repository_id, is: "74" }',
  '{ claim: repository, like: "acme/*" }',
  '{ claim: sub, is: "repo:acme/wiki:environment:prod" }',
  '{ claim: sub, like: "repo:acme/*" }',
  '{ claim: sub, is: "repository_owner:acme:environment:prod" }',
  '{ claim: sub, like: "repository_owner_id:7:*" }',
  '{ network: [192.0.2.0/24] }',
  '{ all: [{ network: [192.0.2.0/24] }, ours] }',
  '{ all: [ours, { claim: environment, is: prod }] }',
  '{ all: [{ claim: environment, is: prod }, { claim: repository_owner_id, is: "7" }] }',
  '{ any: [{ claim: repository, is: acme/wiki }, { all: [ours, { claim: ref, is: refs/heads/main }] }] }',
])('accepts a role that names a repository or an owner exactly: %s', (fact) => {
  expect(reported(fact).filter((it) => it.includes('GitHub'))).toEqual([]);
});

test('a role of another provider does not need to name a repository', () => {
  expect(reported('{ group: staff, provider: okta }', okta).filter((it) => it.includes('GitHub'))).toEqual([]);
  const both = '{ any: [{ group: staff, provider: okta }, { claim: environment, is: prod, provider: github }] }';
  expect(reported(both, okta).filter((it) => it.includes('GitHub'))).toHaveLength(1);
});

test.each([
  '{ claim: environment, is: prod }',
  '{ claim: ref, is: refs/heads/main }',
  '{ claim: actor, is: ann }',
  '{ claim: sub, like: "*" }',
  '{ claim: sub, is: "environment:prod" }',
])('rejects an agent that any account on GitHub can be: %s', (match) => {
  const message = expect.stringMatching(/^agents\.ci\.match: anyone on GitHub can be this agent/);
  expect(agent(match, 'https://token.actions.githubusercontent.com')).toEqual([message]);
});

test.each(['{ claim: repository, is: acme/wiki }', '{ claim: sub, like: "repo:acme/wiki:*" }'])(
  'accepts an agent that names a repository or an owner exactly: %s',
  (match) => {
    expect(agent(match, 'https://token.actions.githubusercontent.com')).toEqual([]);
  },
);

/** The errors of a policy with an agent that acts alone. */
function agent(match: string, issuer: string): readonly string[] {
  const text = `version: 1
providers: { p: { issuer: ${issuer}, audiences: [wiki] } }
services: { wiki: { url: https://wiki.internal:8443 } }
agents: { ci: { match: ${match}, alone: true, bound: none } }
hosts: { wiki.test: { /*: { service: wiki, allow: [{ agent: ci }] } } }
`;
  return parsePolicy(text, 'p.yaml').errors.map(({ path, message }) => `${path}: ${message}`);
}

const google = (fact: string): readonly string[] => {
  const text = `version: 1
providers: { p: { issuer: https://accounts.google.com, audiences: [wiki] } }
services: { wiki: { url: https://wiki.internal:8443 } }
roles: { ours: ${fact} }
hosts: { wiki.test: { /*: { service: wiki, allow: [ours] } } }
`;
  return parsePolicy(text, 'p.yaml').errors.map(({ path, message }) => `${path}: ${message}`);
};

test.each([
  '{ claim: email_verified, is: true }',
  '{ claim: email, like: "*" }',
  // Any account can make a project with service accounts, and an account of Google's may have an address of any domain.
  '{ claim: email, like: "*.iam.gserviceaccount.com" }',
  '{ claim: email, like: "*@*.iam.gserviceaccount.com" }',
  '{ claim: email, like: "*@example.com" }',
  '{ claim: sub, like: "*" }',
  '{ claim: hd, like: "*example.com" }',
  '{ all: [{ claim: email_verified, is: true }, { network: [192.0.2.0/24] }] }',
])('rejects a role that any Google account can have: %s', (fact) => {
  expect(google(fact)).toEqual([expect.stringMatching(/^roles\.ours: anyone on Google can have this role/)]);
});

test.each([
  '{ claim: hd, is: example.com }',
  '{ claim: email, is: ann@example.com }',
  '{ claim: email, like: "*@example-prod.iam.gserviceaccount.com" }',
  '{ claim: sub, is: "113774264463038321964" }',
  '{ all: [{ claim: email_verified, is: true }, { claim: hd, is: example.com }] }',
])('accepts a role that names an organisation or a Google account: %s', (fact) => {
  expect(google(fact)).toEqual([]);
});

test('rejects an agent that any service account at Google can be', () => {
  const issuer = 'https://accounts.google.com';
  const message = expect.stringMatching(/^agents\.ci\.match: anyone on Google can be this agent/);
  expect(agent('{ claim: email, like: "*.iam.gserviceaccount.com" }', issuer)).toEqual([message]);
  expect(agent('{ claim: email, is: ci@example-prod.iam.gserviceaccount.com }', issuer)).toEqual([]);
  expect(agent('{ client_id: "113774264463038321964" }', issuer)).toEqual([]);
});

test.each([
  ['https://token.actions.githubusercontent.com', 'github-actions'],
  ['https://accounts.google.com', 'google'],
])('rejects kind: generic for %s, whose tokens are available to any account', (issuer, kind) => {
  const text = `version: 1
providers: { p: { kind: generic, issuer: ${issuer}, audiences: [wiki] } }
services: { wiki: { url: https://wiki.internal:8443 } }
hosts: { wiki.test: { /*: { service: wiki, allow: [authenticated] } } }
`;
  const errors = parsePolicy(text, 'p.yaml').errors.map(({ path, message }) => `${path}: ${message}`);
  expect(errors).toEqual([expect.stringMatching(new RegExp(`^providers\\.p\\.kind: .*write ${kind}`))]);
});
