import type { AboutKind, ClaimHelp, Issuers, Owners, ProviderKind } from './types.ts';

/** The beginning of a pattern: the name of an owner, and a slash. */
const SLASH = '^[^/*]+/';

/** Subjects that name a repository or an owner. Each repository chooses the claims in its subjects. */
const SUBJECT =
  '^(?:repo(?:sitory)?:[^/:*]+/|(?:repository_id|repository_owner|repository_owner_id|enterprise|enterprise_id):[^:*]+(?::|$))';

/** GitHub Actions: the token of a job. All of GitHub has one issuer, and a job can request any audience. */
export const kind: ProviderKind = {
  name: 'github-actions',
  scopes: [],
  client: [],
  alone: 'always',
  verifiedAs: [],
  refusedTypes: [],
  wants: 'an ID token of a job for this audience',
  ofAnybody: true,
};

export const issuers: Issuers = {
  looksLike: [
    /^https:\/\/token\.actions\.(?:githubusercontent\.com|[a-z0-9-]+\.ghe\.com)(?:\/|$)/,
    /^https:\/\/.+\/_services\/token\/?$/,
  ],
};

/** Claims that name the owner. `job_workflow_ref` does not, because any job can use a workflow of another repository.
 * `actor` does not, because a person can be tricked into starting a job anywhere. */
export const owners: Owners = {
  at: 'GitHub',
  named: 'a repository or an owner',
  claims: {
    repository: { value: SLASH, pattern: SLASH },
    repository_id: {},
    repository_owner: {},
    repository_owner_id: {},
    enterprise: {},
    enterprise_id: {},
    sub: { value: SUBJECT, pattern: SUBJECT },
    workflow_ref: { value: SLASH, pattern: SLASH },
  },
  write: '{ claim: repository, is: OWNER/NAME }, or repository_owner',
};

export const help: ClaimHelp = {
  aud: 'in the job: core.getIDToken(AUDIENCE), or &audience=… after ACTIONS_ID_TOKEN_REQUEST_URL',
  environment: 'only jobs with "environment:" have this claim',
  head_ref: 'only runs for a pull request have this claim',
  base_ref: 'only runs for a pull request have this claim',
  job_workflow_ref: 'this claim names the reusable workflow; compare workflow_ref for the workflow itself',
  enterprise: 'only repositories of an enterprise have this claim',
};

export const about: AboutKind = {
  title: 'GitHub Actions',
  registering: ['People cannot sign in with GitHub Actions: its jobs send their own tokens.'],
};
