import type { DraftPolicy } from '../read/draft.ts';
import type { Report } from '../read/report.ts';
import { plain } from '../read/tree.ts';
import { checkAgents } from './callers/agents.ts';
import { checkClients, checkIntrospection } from './callers/clients.ts';
import { checkKinds } from './callers/kinds.ts';
import { checkProviders } from './callers/providers.ts';
import { checkRequestFacts } from './callers/request-facts.ts';
import { checkRoleSteps } from './callers/role-steps.ts';
import { checkFacts, checkKindFacts, checkRoles } from './callers/roles.ts';
import { checkAccept, checkSessions } from './callers/signins.ts';
import { checkDefinitions } from './definitions.ts';
import { checkAudit, checkGateway, checkProof } from './gateway.ts';
import { checkConsul } from './mesh/consul.ts';
import { checkFailover } from './mesh/failover.ts';
import { checkLinkerd } from './mesh/linkerd.ts';
import { checkMeshes, checkWorkloads } from './mesh/meshes.ts';
import { checkServices } from './mesh/services.ts';
import { checkReferences } from './references.ts';
import { checkLists, checkRelations } from './relations.ts';
import { checkLimits } from './routes/enforceable-limits.ts';
import { checkRequestHeaders } from './routes/given-headers.ts';
import { checkHosts } from './routes/hosts.ts';
import { checkHeaders } from './routes/identity-headers.ts';
import { checkServiceCredentials } from './routes/own-credentials.ts';
import { checkTraffic } from './routes/proxy-settings.ts';
import { checkResponseHeaders } from './routes/response-headers.ts';
import { checkRules } from './routes/unreachable-rules.ts';
import { checkTeamFiles, checkTeams } from './teams.ts';
import { checkTests } from './tests.ts';
import { checkUnused } from './unused.ts';

/** Runs every check that a schema cannot express, on all parts of the policy that could be read. */
export function checkPolicy(report: Report): void {
  if (report.tree.kind !== 'map') return;
  checkLists(report);
  checkDefinitions(report);
  checkReferences(report);
  checkRoleSteps(report, plain(report.tree) as DraftPolicy);
  const draft = plain(report.tree) as DraftPolicy;
  for (const check of CHECKS) check(report, draft);
}

const CHECKS = [
  checkTeamFiles,
  checkTeams,
  checkRelations,
  checkGateway,
  checkAudit,
  checkProviders,
  checkKinds,
  checkClients,
  checkIntrospection,
  checkSessions,
  checkRoles,
  checkProof,
  checkRequestFacts,
  checkFacts,
  checkKindFacts,
  checkServices,
  checkMeshes,
  checkFailover,
  checkWorkloads,
  checkLinkerd,
  checkConsul,
  checkHosts,
  checkHeaders,
  checkRequestHeaders,
  checkResponseHeaders,
  checkRules,
  checkAccept,
  checkServiceCredentials,
  checkAgents,
  checkTraffic,
  checkLimits,
  checkTests,
  checkUnused,
];
