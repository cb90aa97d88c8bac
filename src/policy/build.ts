import { buildAgent, buildFact } from './agent.ts';
import { define, type Locate } from './at.ts';
import { buildGateway } from './gateway.ts';
import { DEFAULT_HEADERS } from './headers.ts';
import { buildHost } from './host.ts';
import { buildMeshes } from './mesh.ts';
import { buildTest } from './policy-test.ts';
import { buildProvider } from './provider.ts';
import type { Said } from './schema.ts';
import { buildService } from './service.ts';
import type { Mesh, Policy } from './types.ts';

/** The only mesh, or several. */
function oneOrMore(meshes: Readonly<Record<string, Mesh>>): Pick<Policy, 'mesh' | 'meshes'> {
  const [mesh, other] = Object.values(meshes);
  return other === undefined ? { ...(mesh && { mesh }) } : { meshes };
}

/** Builds the policy from a checked file: adds places, and values that depend on other parts. */
export function buildPolicy(said: Said, locate: Locate): Policy {
  const { gateway, headers = DEFAULT_HEADERS } = said;
  const providers = define(said.providers, ['providers'], locate, buildProvider);
  const agents = define(said.agents, ['agents'], locate, buildAgent);
  const services = define(said.services, ['services'], locate, buildService);
  const roles = define(said.roles, ['roles'], locate, (name, it, at) => {
    return { name, fact: buildFact(it, ['roles', name], locate), at };
  });
  const around = {
    ...{ headers, providers, agents, services },
    sessions: gateway.session !== undefined,
    clientCaFile: gateway.tls?.clientCaFile,
    assertionLifetime: gateway.assertion?.lifetime,
  };
  const meshes = buildMeshes(said.mesh, said.meshes, locate);
  const signsByRole = Object.values(meshes).some(({ kind }) => kind === 'consul');
  const [first = ''] = Object.keys(providers);
  return {
    version: 1,
    gateway: buildGateway(gateway, signsByRole),
    providers,
    roles,
    agents,
    ...oneOrMore(meshes),
    services,
    hosts: Object.entries(said.hosts).map(([name, it]) => buildHost(name, it, around, locate)),
    tests: said.tests.map((it, index) => buildTest(it, first, locate(['tests', index]))),
  };
}
