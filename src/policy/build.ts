import { buildAgent, buildFact } from './agent.ts';
import { define, type Locate } from './at.ts';
import { buildGateway } from './gateway.ts';
import { DEFAULT_HEADERS } from './headers.ts';
import { buildHost } from './host.ts';
import { buildMesh } from './mesh.ts';
import { buildTest } from './policy-test.ts';
import { buildProvider } from './provider.ts';
import type { Said } from './schema.ts';
import { buildService } from './service.ts';
import type { Policy } from './types.ts';

/** Builds the policy from a checked file: adds places, and values that depend on other parts. */
export function buildPolicy(said: Said, locate: Locate): Policy {
  const { gateway, mesh, headers = DEFAULT_HEADERS } = said;
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
  const [first = ''] = Object.keys(providers);
  return {
    version: 1,
    gateway: buildGateway(gateway, mesh?.kind === 'consul'),
    providers,
    roles,
    agents,
    ...(mesh && { mesh: buildMesh(mesh, locate) }),
    services,
    hosts: Object.entries(said.hosts).map(([name, it]) => buildHost(name, it, around, locate)),
    tests: said.tests.map((it, index) => buildTest(it, first, locate(['tests', index]))),
  };
}
