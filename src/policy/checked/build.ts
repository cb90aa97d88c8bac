import { define, type Locate, type TeamOf } from '../forms/at.ts';
import { named } from '../forms/mapping.ts';
import type { Path } from '../forms/path.ts';
import { buildAgent, buildFact } from '../schema/agent.ts';
import { buildGateway } from '../schema/gateway.ts';
import { DEFAULT_HEADERS } from '../schema/headers.ts';
import { buildHost } from '../schema/host.ts';
import { buildMeshes } from '../schema/mesh.ts';
import type { Declared } from '../schema/policy.ts';
import { buildTest } from '../schema/policy-test.ts';
import { buildProvider } from '../schema/provider.ts';
import { buildService } from '../schema/service.ts';
import { buildTeam } from '../schema/team.ts';
import type { Mesh, Policy } from './types.ts';

/** The only mesh, or several. */
function oneOrMore(meshes: Readonly<Record<string, Mesh>>): Pick<Policy, 'mesh' | 'meshes'> {
  const [mesh, other] = Object.values(meshes);
  return other === undefined ? { ...(mesh && { mesh }) } : { meshes };
}

/** Builds the policy from a checked file: adds places, and values that depend on other parts. */
export function buildPolicy(declared: Declared, places: { readonly locate: Locate; readonly teamOf: TeamOf }): Policy {
  const locate: Locate = (path) => places.locate(path);
  const ofTeam = (path: Path) => named({ team: places.teamOf(path) });
  const { gateway, headers = DEFAULT_HEADERS } = declared;
  const providers = define(declared.providers, ['providers'], locate, buildProvider);
  const agents = define(declared.agents, ['agents'], locate, buildAgent);
  const services = define(declared.services, ['services'], locate, (name, it, at) => {
    return { ...buildService(name, it, at), ...ofTeam(['services', name]) };
  });
  const roles = define(declared.roles, ['roles'], locate, (name, it, at) => {
    return { name, fact: buildFact(it, ['roles', name], locate), ...ofTeam(['roles', name]), at };
  });
  const around = {
    ...{ headers, providers, agents, services },
    sessions: gateway.session !== undefined,
    clientCaFile: gateway.tls?.clientCaFile,
    assertionLifetime: gateway.assertion?.lifetime,
  };
  const meshes = buildMeshes(declared.mesh, declared.meshes, locate);
  const signsByRole = Object.values(meshes).some(({ kind }) => kind === 'consul');
  const [first = ''] = Object.keys(providers);
  return {
    version: 1,
    gateway: buildGateway(gateway, signsByRole, Object.keys(declared.hosts)),
    providers,
    roles,
    agents,
    ...oneOrMore(meshes),
    services,
    hosts: Object.entries(declared.hosts).map(([name, it]) => {
      return { ...buildHost(name, it, around, locate), ...ofTeam(['hosts', name]) };
    }),
    ...(declared.teams && { teams: define(declared.teams, ['teams'], locate, buildTeam) }),
    tests: declared.tests.map((it, index) => buildTest(it, first, locate(['tests', index]))),
  };
}
