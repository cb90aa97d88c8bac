import type { Identity, Policy } from '../policy/types.ts';
import { covers } from '../rules/cover.ts';
import { hasMethod } from '../rules/decide.ts';
import { enforced } from '../rules/enforced.ts';
import { parseTarget } from '../rules/target.ts';
import type { Rule } from '../rules/types.ts';
import { reach, splitUrl } from './ask.ts';
import { foreign } from './foreign.ts';
import type { Ask, Incoming, Outgoing } from './http.ts';
import { type Enforcer, type LiveOutcome, textOf } from './live.ts';
import type { Loaded } from './load.ts';
import type { TestOutcome } from './policy-tests.ts';
import type { Runtime } from './runtime.ts';

/** The address of the mesh ingress, and the folder that contains the policy's files. */
export interface MeshAddress {
  readonly text: string;
  readonly address: string;
  readonly port: number;
  /** A folder that is put before the paths of files in the policy. */
  readonly root: string;
}

/** The body of a refusal by Envoy itself. In the response to HEAD, only its length is visible. */
const DENIED = 'RBAC: access denied';

function verdict(answer: Incoming): string | undefined {
  // Envoy ends the connection of an identity that no rule uses with a TLS alert.
  if ('error' in answer) return /ALERT/.test(answer.error) ? 'refused' : undefined;
  const { status, body, headers } = answer;
  if (status !== 403) return 'allowed';
  const silent = body === '' && headers['content-length'] === String(DENIED.length);
  return body.startsWith(DENIED) || silent ? 'refused' : 'allowed';
}

/** A test as a request to the ingress, with the service's authority as host. */
interface Hop {
  readonly authority: string;
  readonly method: string;
  readonly target: string;
  readonly path: string;
  readonly route: string;
}

/** Returns one request for each service of the test's route, or a sentence that says why the mesh cannot receive the
 * test. */
function hopsOf({ policy, rules }: Loaded, { method, url }: TestOutcome['test']): readonly Hop[] | string {
  const reached = reach(policy, method, url);
  if ('reason' in reached) return `it reaches no route: ${reached.reason}`;
  const route = reached.route.name;
  const names = new Set(rules.filter((rule) => rule.route === route).map(({ service }) => service));
  const services = [...names].flatMap((name) => policy.services[name] ?? []).filter(({ direct }) => !direct);
  if (services.length === 0) return 'its service is not reached through this ingress';
  const target = splitUrl(url)?.target ?? '/';
  // Some targets accept encoded paths, and others do not.
  if (/^[^?]*%/.test(target)) return 'its path is percent-encoded';
  const path = parseTarget(target)?.path ?? '/';
  return services.map(({ authority }) => ({ authority, method, target, path, route }));
}

/** Returns a rule that allows the identity, or else a rule of the same route for another identity. */
function ruleFor({ policy, rules }: Loaded, hop: Hop, identity: Identity) {
  const own = enforced(rules).filter(({ service }) => policy.services[service]?.authority === hop.authority);
  const here = own.filter((rule) => hasMethod(rule, hop.method) && covers(rule.path, hop.path));
  const spiffe = ({ as }: Rule) => policy.mesh?.identities[as]?.spiffe;
  const allowing = here.find((rule) => spiffe(rule) === identity.spiffe);
  const ofRoute = own.filter(({ route }) => route === hop.route);
  const rule = allowing ?? ofRoute.find((it) => spiffe(it) === identity.spiffe) ?? ofRoute[0];
  return { expect: allowing === undefined ? 'refused' : 'allowed', ...(rule && { rule }) };
}

/** Sends requests to the mesh ingress with each identity of the policy. */
class Ingress {
  readonly #ask: Ask;
  readonly #loaded: Loaded;
  readonly #mesh: MeshAddress;
  readonly #ca: string;
  readonly #clients: readonly { readonly identity: Identity; readonly cert: string; readonly key: string }[];

  constructor(runtime: Runtime, ask: Ask, loaded: Loaded, mesh: MeshAddress, policyMesh: NonNullable<Policy['mesh']>) {
    const read = (file: string, what: string) => textOf(runtime, mesh.root + file, what);
    this.#ask = ask;
    this.#loaded = loaded;
    this.#mesh = mesh;
    this.#ca = read(policyMesh.ingress.caFile, 'the CA of the mesh');
    this.#clients = Object.values(policyMesh.identities).map((identity) => ({
      identity,
      cert: read(identity.certFile, `the certificate of ${identity.name}`),
      key: read(identity.keyFile, `the key of ${identity.name}`),
    }));
  }

  #request({ authority, method, target }: Hop, client: Outgoing['client']): Outgoing {
    const { address, port } = this.#mesh;
    const name = this.#loaded.policy.mesh?.ingress.serverName ?? address;
    return {
      address,
      port,
      tls: true,
      name,
      authority,
      method,
      target,
      headers: {},
      ca: this.#ca,
      ...(client && { client }),
    };
  }

  async test(outcome: TestOutcome): Promise<LiveOutcome[]> {
    const hops = hopsOf(this.#loaded, outcome.test);
    if (typeof hops === 'string') return [{ outcome, as: '', expect: '', agrees: true, note: hops }];
    const all: LiveOutcome[] = [];
    for (const hop of hops) all.push(...(await this.#askAs(outcome, hop)));
    return all;
  }

  async #askAs(outcome: TestOutcome, hop: Hop): Promise<LiveOutcome[]> {
    const all: LiveOutcome[] = [];
    for (const { identity, cert, key } of this.#clients) {
      const { expect, rule } = ruleFor(this.#loaded, hop, identity);
      const answer = await this.#ask(this.#request(hop, { cert, key }));
      const got = verdict(answer);
      all.push({
        outcome,
        as: identity.name,
        expect,
        agrees: got === expect,
        ...(rule && { rule }),
        ...(got === undefined ? { note: `no answer: ${'error' in answer ? foreign(answer.error) : ''}` } : { got }),
        ...('status' in answer && { status: answer.status }),
      });
    }
    return all;
  }
}

/** Sends the policy's tests directly to the mesh ingress, with the certificate of each identity. The mesh decides by
 * this identity alone. */
export async function askMesh(
  runtime: Runtime,
  ask: Ask,
  loaded: Loaded,
  policyMesh: NonNullable<Policy['mesh']>,
  mesh: MeshAddress,
  outcomes: readonly TestOutcome[],
): Promise<Enforcer> {
  const ingress = new Ingress(runtime, ask, loaded, mesh, policyMesh);
  const all: LiveOutcome[] = [];
  for (const outcome of outcomes) all.push(...(await ingress.test(outcome)));
  return { kind: 'mesh', address: mesh.text, outcomes: all };
}
