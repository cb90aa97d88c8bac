import { deepFreeze } from './freeze.ts';
import type { ClaimHelp, ProviderKind } from './types.ts';

/**
 * GitHub Actions: the token of a job, `sub` in a form that each repository chooses. All of GitHub has one issuer, and a
 * job asks for any audience.
 */
export const githubActions: ProviderKind = deepFreeze({
  name: 'github-actions',
  scopes: [],
  client: [],
  alone: 'always',
  verifiedAs: [],
  refusedTypes: [],
  wants: 'the ID token of a job, made for this audience',
  ofAnybody: true,
  // Not job_workflow_ref: anybody's job can use a workflow of another repository. Nor actor, who may be led anywhere.
  owners: {
    at: 'GitHub',
    claims: {
      repository: '^[^/*]+/',
      repository_id: undefined,
      repository_owner: undefined,
      repository_owner_id: undefined,
      enterprise: undefined,
      enterprise_id: undefined,
      sub: '^repo:[^/*]+/',
      workflow_ref: '^[^/*]+/',
    },
    write: '{ claim: repository, is: OWNER/NAME }, or repository_owner',
  },
});

/** What to do there, by claim. */
export const githubActionsHelp: ClaimHelp = /* @__PURE__ */ deepFreeze({
  aud: 'in the job: core.getIDToken(AUDIENCE), or &audience=… after ACTIONS_ID_TOKEN_REQUEST_URL',
  environment: 'only jobs with "environment:" have it',
  head_ref: 'only runs for a pull request have it',
  base_ref: 'only runs for a pull request have it',
  job_workflow_ref: 'it is that of the reusable workflow; compare workflow_ref for the workflow itself',
  enterprise: 'only repositories of an enterprise have it',
});
