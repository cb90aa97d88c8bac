import { foreign } from '../../base/hostile-text.ts';
import type { Identity } from '../../policy/checked/types.ts';
import { isReachedItself } from '../../policy/checked/workload.ts';
import { covers } from '../../rules/compare/cover.ts';
import { hasMethod } from '../../rules/decide/decide.ts';
import { parseTarget } from '../../rules/decide/target.ts';
import { enforced } from '../../rules/enforced.ts';
import type { Rule } from '../../rules/types.ts';
import { WrongUse } from '../common/context.ts';
import { type Loaded, readText } from '../common/load.ts';
import { reach, splitUrl } from '../decide/ask.ts';
import type { TestOutcome } from '../decide/policy-tests.ts';
import type { Ask, Incoming } from '../machine/http.ts';
import type { Runtime } from '../machine/runtime.ts';
import type { Enforcer, hostPort, LiveOutcome } from './at-gateway.ts';

/** The body of a refusal by Envoy itself. In the response to HEAD, only its length is visible. */
const DENIED = 'RBAC: access denied';

function verdict(answer: Incoming): string | undefined {
  // If no rule uses the identity, Envoy ends the connection with a TLS alert.
  if ('error' in answer) return /ALERT/.test(answer.error) ? 'refused' : undefined;
  const { status, body, headers } = answer;
  if (status !== 403) return 'allowed';
  const silent = body === '' && headers['content-length'] === String(DENIED.length);
  return body.startsWith(DENIED) || silent ? 'refused' : 'allowed';
}

/** Returns one request for each service of the test's route, or says why the mesh cannot receive the test. */
function hopsOf({ policy, rules }: Loaded, { method, url }: TestOutcome['test']) {
  const reached = reach(policy, method, url);
  if ('reason' in reached) return `the request reaches no route: ${reached.reason}`;
  const route = reached.route.name;
  const names = new Set(rules.filter((rule) => rule.route === route).map(({ service }) => service));
  const services = [...names].flatMap((name) => policy.services[name] ?? []).filter(({ direct }) => !direct);
  if (services.length === 0) return 'this ingress does not lead to its service';
  const viaIngress = services.filter((it) => !policy.mesh || !isReachedItself(policy.mesh, it));
  if (viaIngress.length === 0) return 'nginx connects to the workloads of its service themselves';
  const target = splitUrl(url)?.target ?? '/';
  // Some targets accept encoded paths, and others do not.
  if (/^[^?]*%/.test(target)) return 'its path is percent-encoded';
  const path = parseTarget(target)?.path ?? '/';
  return viaIngress.map(({ authority }) => ({ authority, method, target, path, route }));
}

/** Returns a rule that allows the identity, or else a rule of the same route for another identity. */
function ruleFor(
  { policy, rules }: Loaded,
  hop: Exclude<ReturnType<typeof hopsOf>, string>[number],
  identity: Identity,
) {
  const own = enforced(rules).filter(({ service }) => policy.services[service]?.authority === hop.authority);
  const here = own.filter((rule) => hasMethod(rule, hop.method) && covers(rule.path, hop.path));
  const spiffe = ({ as }: Rule) => policy.mesh?.identities[as]?.spiffe;
  const allowing = here.find((rule) => spiffe(rule) === identity.spiffe);
  const ofRoute = own.filter(({ route }) => route === hop.route);
  const rule = allowing ?? ofRoute.find((it) => spiffe(it) === identity.spiffe) ?? ofRoute[0];
  return { expect: allowing === undefined ? 'refused' : 'allowed', ...(rule && { rule }) };
}

/** Sends the policy's tests directly to the mesh ingress, with the certificate of each identity. The mesh decides by
 * this identity alone.
 * @param mesh address of the ingress, and a folder that is put before the paths of files in the policy */
export async function askMesh(
  runtime: Runtime,
  ask: Ask,
  loaded: Loaded,
  { text, root, address, port }: { readonly text: string; readonly root: string } & ReturnType<typeof hostPort>,
  outcomes: readonly TestOutcome[],
): Promise<Enforcer> {
  const { mesh } = loaded.policy;
  if (mesh === undefined) throw new WrongUse('the policy has no mesh: leave out --mesh');
  const read = (file: string, what: string) => readText(runtime, root + file, what);
  const { caFile, serverName: name = address, host } = mesh.ingress;
  if (host === '')
    throw new WrongUse('the mesh has no ingress, because nginx connects to the workloads themselves: leave out --mesh');
  const tls = { address, port, tls: true, name, headers: {}, ca: read(caFile, 'the CA of the mesh') };
  const clients = Object.values(mesh.identities).map((identity) => ({
    identity,
    cert: read(identity.certFile, `the certificate of ${identity.name}`),
    key: read(identity.keyFile, `the key of ${identity.name}`),
  }));
  const all: LiveOutcome[] = [];
  for (const outcome of outcomes) {
    const hops = hopsOf(loaded, outcome.test);
    if (typeof hops === 'string') {
      all.push({ outcome, as: '', expect: '', agrees: true, note: hops });
      continue;
    }
    for (const hop of hops) {
      for (const { identity, ...client } of clients) {
        const { expect, rule } = ruleFor(loaded, hop, identity);
        const { authority, method, target } = hop;
        const answer = await ask({ ...tls, authority, method, target, client });
        const got = verdict(answer);
        all.push({
          ...{ outcome, as: identity.name, expect, agrees: got === expect, ...(rule && { rule }) },
          ...(got === undefined ? { note: `no answer: ${'error' in answer ? foreign(answer.error) : ''}` } : { got }),
          ...('status' in answer && { status: answer.status }),
        });
      }
    }
  }
  return { kind: 'mesh', address: text, outcomes: all };
}
