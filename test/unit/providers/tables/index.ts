import type { ProviderKindName } from '../../../../src/providers/index.ts';
import { auth0 } from './auth0.ts';
import { cognito } from './cognito.ts';
import { entra } from './entra.ts';
import { generic } from './generic.ts';
import { githubActions } from './github-actions.ts';
import { google } from './google.ts';
import { keycloak } from './keycloak.ts';
import { kubernetes } from './kubernetes.ts';
import { okta } from './okta.ts';
import { spiffe } from './spiffe.ts';
import type { KindTable } from './table.ts';

export type { KindTable } from './table.ts';

/** One table for each kind. */
export const tables: Readonly<Record<ProviderKindName, KindTable>> = {
  okta,
  entra,
  keycloak,
  auth0,
  google,
  cognito,
  'github-actions': githubActions,
  kubernetes,
  spiffe,
  generic,
};
