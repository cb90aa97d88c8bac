import { sample as alphaKeycloak } from './alpha-keycloak.ts';
import { sample as bearerTokens } from './bearer-tokens.ts';
import { sample as dexLocal } from './dex-local.ts';
import { sample as emailsUpstreams } from './emails-upstreams.ts';
import { sample as entraDeployment } from './entra-deployment.ts';
import { sample as githubCompose } from './github-compose.ts';
import { sample as gitlabGroups } from './gitlab-groups.ts';
import { sample as googleChart } from './google-chart.ts';
import { sample as keycloakRoles } from './keycloak-roles.ts';
import { sample as openPaths } from './open-paths.ts';

/** Ten configurations of oauth2-proxy. */
export const oauth2Proxies = {
  dexLocal,
  keycloakRoles,
  entraDeployment,
  githubCompose,
  googleChart,
  gitlabGroups,
  alphaKeycloak,
  openPaths,
  bearerTokens,
  emailsUpstreams,
} as const;
