import { TO_MESH, TO_PROBE, TO_SERVICE } from '../../../base/internal-headers.ts';
import { MESH_PROBE_STEP_MS } from '../../../base/limits.ts';
import type { MeshProbe } from '../../../health/types.ts';
import { hasSeveralIngresses, meshOf } from '../../../policy/checked/ingresses.ts';
import type { Identity, Ingress, Mesh, Service } from '../../../policy/checked/types.ts';
import { atIngress, atMesh, type Ruled } from '../../../rules/decide/at-ingress.ts';
import { type Enforced, enforced } from '../../../rules/enforced.ts';
import { meshTarget } from '../../index.ts';
import { guardRequests } from '../../kit/guards.ts';
import { selectorsMayOverlap } from '../../kit/kubernetes-objects.ts';
import type { Context } from '../render-context.ts';
import { authorityFor } from '../route/connections.ts';
import { certificateFor, timeouts, upstreamTls, verified } from '../route/module.ts';
import { conf, type Directive, literal, variable } from '../text/directive.ts';
import { probeLocation, probeUpstream, requestHeader, type UpstreamOwner } from '../text/names.ts';
import { upstream } from './upstream-blocks.ts';

/** A connection on which probes are sent: to one ingress, or to the workloads of a service, as one identity. */
interface Way {
  readonly owner: UpstreamOwner;
  readonly to: Ingress;
  readonly identity: Identity;
  readonly isWorkload?: true;
}

/** What nginx reaches through one ingress, or at its workloads. */
interface Reached {
  readonly mesh: Mesh;
  readonly service: Service;
  readonly to: Ingress;
  readonly owner: UpstreamOwner;
  readonly isWorkload?: true;
}

/** Every ingress of every service in a mesh. If a service has several, each must enforce the rules. */
function reachedBy(context: Context): readonly Reached[] {
  const targets = context.hosts.flatMap(({ routes }) => routes.flatMap((route) => route.targets));
  const services = new Map(targets.flatMap((it) => (it.mesh && it.ingresses ? [[it.service, it] as const] : [])));
  return [...services].flatMap(([service, { mesh, ingresses }]): Reached[] => {
    if (mesh === undefined || ingresses === undefined) return [];
    const { all, owner, isWorkload } = ingresses;
    if (isWorkload) return [{ mesh, service, to: all[0], owner, isWorkload }];
    return all.map((to) => {
      const own = { ingress: to.name, ...(to.mesh !== undefined && { mesh: to.mesh }) };
      return { mesh, service, to, owner: own };
    });
  });
}

/** The identities with which nginx connects to an ingress, those for the service first. An ingress rejects others in the
 * handshake. Of the foreign identities, one is enough. */
function identitiesFor(context: Context, { mesh, service, to, isWorkload }: Reached): readonly Identity[] {
  const targets = context.hosts.flatMap(({ routes }) => routes.flatMap((route) => route.targets));
  const seen = (own: boolean) =>
    targets.flatMap((it) => {
      const here = own ? it.service === service : !isWorkload && it.mesh === mesh && it.ingresses?.all.includes(to);
      return here && it.identity ? [it.identity] : [];
    });
  const own = [...new Set(seen(true))];
  const other = seen(false).find((it) => !own.includes(it));
  return [...own, ...(other === undefined ? [] : [other])];
}

/** Whether a request for a service may be decided by the rules of another one, too. */
const isBeside = (service: Service, other: Service): boolean =>
  other.authority.toLowerCase() === service.authority.toLowerCase() ||
  (other.namespace === service.namespace && selectorsMayOverlap(other.labels ?? {}, service.labels ?? {}));

/** The part of the policy that one ingress enforces. */
function partOf(context: Context, { mesh, to, isWorkload }: Reached): Ruled {
  const own = atMesh({ policy: context.policy, rules: context.rules }, mesh.name);
  return isWorkload || !hasSeveralIngresses(mesh) ? own : atIngress(own, to.name);
}

interface Probing {
  readonly probe: MeshProbe;
  readonly way: Way;
}

function probing(context: Context): readonly Probing[] {
  if (context.policy.gateway.meshProbe === undefined) return [];
  return reachedBy(context).flatMap((reached): Probing[] => {
    const { mesh, service, to, owner, isWorkload } = reached;
    const { policy, rules } = partOf(context, reached);
    const of = (it: Service): readonly Enforced[] => enforced(rules).filter((rule) => rule.service === it.name);
    const inMesh = Object.values(policy.services).filter((it) => meshOf(policy, it) !== undefined);
    const all = inMesh.filter((it) => it.name === service.name || isBeside(service, it)).flatMap(of);
    const identities = new Map(identitiesFor(context, reached).map((it) => [it.name, it]));
    return meshTarget(mesh.kind)
      .guards(policy, rules, service)
      .flatMap((guard) =>
        guardRequests(guard, of(service), all, [...identities.keys()]).flatMap(
          ({ identity: name, path, rule, assertion }) => {
            const identity = identities.get(name);
            if (identity === undefined) return [];
            const { layer, object, by } = guard;
            const probe: MeshProbe = {
              ...(assertion ? { probe: 'wrong_identity', assertion } : { probe: 'no_assertion' }),
              ...{ mesh: mesh.name, ingress: isWorkload ? '' : to.name, service: service.name },
              ...{ layer, object, rule, identity: name, at: probeLocation(owner, name) },
              ...{ authority: authorityFor(service, mesh), path, by },
            };
            return [{ probe, way: { owner, to, identity, ...(isWorkload && { isWorkload }) } }];
          },
        ),
      );
  });
}

/** The requests that the meshes of a policy must deny. */
export const probesOf = (context: Context): readonly MeshProbe[] => probing(context).map(({ probe }) => probe);

/** The services in a mesh for which there is no probe, although the policy has `gateway.mesh_probe`. */
export function unprobed(context: Context): readonly Service[] {
  if (context.policy.gateway.meshProbe === undefined) return [];
  const probed = new Set(probesOf(context).map(({ service }) => service));
  return [...new Set(reachedBy(context).map(({ service }) => service))].filter(({ name }) => !probed.has(name));
}

/** Each connection of the probes once. */
const waysOf = (context: Context): readonly Way[] => [
  ...new Map(probing(context).map(({ probe, way }) => [probe.at, way])).values(),
];

/** The upstreams of probes. They keep no connections: an open connection of Envoy keeps the rules with which it began. */
export function probeUpstreams(context: Context): readonly Directive[] {
  const ways = new Map(waysOf(context).map((way) => [probeUpstream(way.owner), way]));
  if (ways.size === 0) return [];
  return conf`
    # Probes of the mesh. No connection stays open, because an open one keeps the rules with which it began.
    ${[...ways].flatMap(([name, { to }]) => upstream(context, name, to, []))}
  `;
}

const step = `${MESH_PROBE_STEP_MS / 1000}s`;

/** The locations of the egress server for probes: one for each ingress and identity. */
export function probeLocations(context: Context): readonly Directive[] {
  const signed = probesOf(context).some(({ assertion }) => assertion !== undefined);
  return waysOf(context).flatMap(
    ({ owner, to, identity, isWorkload }) => conf`
      location ${probeLocation(owner, identity.name)} {
        set $meshgate_client_cert ${literal(identity.certFile)};
        set $meshgate_client_key ${literal(identity.keyFile)};
        proxy_pass https://${probeUpstream(owner)}/;
        proxy_pass_request_body off;
        proxy_set_header Host ${requestHeader(TO_PROBE.host)}; proxy_set_header Connection close;
        proxy_set_header ${TO_MESH.probe} ${requestHeader(TO_PROBE.probe)}; proxy_set_header User-Agent meshgate;
        ${signed && conf`proxy_set_header ${TO_SERVICE.assertion} ${requestHeader(TO_PROBE.assertion)};`}
        ${timeouts(step, step, step)}
        ${upstreamTls('proxy')}
        ${isWorkload === true && conf`proxy_ssl_protocols TLSv1.3; # Linkerd's proxies speak no other version`}
        ${verified('proxy', literal(to.serverName), to.caFile)}
        ${certificateFor('proxy', variable('meshgate_client_cert'), variable('meshgate_client_key'))}
      }
    `,
  );
}
