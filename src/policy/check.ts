import { checkAccept } from './check-accept.ts';
import { checkAgents } from './check-agents.ts';
import { checkAudit } from './check-audit.ts';
import { checkClients, checkIntrospection } from './check-clients.ts';
import { checkConsul } from './check-consul.ts';
import { checkDefinitions } from './check-definitions.ts';
import { checkFailover } from './check-failover.ts';
import { checkGateway, checkProof } from './check-gateway.ts';
import { checkHeaders } from './check-headers.ts';
import { checkHosts } from './check-hosts.ts';
import { checkKindFacts } from './check-kind-facts.ts';
import { checkKinds } from './check-kinds.ts';
import { checkLimits } from './check-limits.ts';
import { checkLinkerd } from './check-linkerd.ts';
import { checkLists } from './check-lists.ts';
import { checkMeshes, checkWorkloads } from './check-mesh.ts';
import { checkProviders } from './check-providers.ts';
import { checkReferences } from './check-references.ts';
import { checkRequestFacts } from './check-request-facts.ts';
import { checkRoleSteps } from './check-role-steps.ts';
import { checkFacts, checkRoles } from './check-roles.ts';
import { checkRules } from './check-rules.ts';
import { checkServiceCredentials } from './check-service-credential.ts';
import { checkServices } from './check-services.ts';
import { checkSessions } from './check-sessions.ts';
import { checkTeamFiles } from './check-team.ts';
import { checkTeams } from './check-teams.ts';
import { checkTests } from './check-tests.ts';
import { checkTraffic } from './check-traffic.ts';
import { checkUnused } from './check-unused.ts';
import type { DraftPolicy } from './draft.ts';
import { checkBounds } from './names.ts';
import type { Report } from './report.ts';
import { checkRequestHeaders } from './request-headers.ts';
import { checkResponseHeaders } from './response-headers.ts';
import { plain } from './tree.ts';

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
  checkBounds,
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
