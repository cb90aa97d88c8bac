import { composed } from '../composed.ts';
import { meshPart, type Probed, type ProbeState, probeLine, stateOf, verdictOf } from '../health/mesh-probe.ts';
import type { MeshProbe, Part, Watched } from '../health/types.ts';
import { FROM_EGRESS, TO_PROBE } from '../internal-headers.ts';
import { MESH_PROBE_TIMEOUT_MS, MESH_PROBES_AT_ONCE } from '../limits.ts';
import { svidsDict } from './dicts.ts';
import { within } from './egress.ts';

type Probes = NonNullable<Watched['probes']>;

/** Returns the key in the dict for the result of a probe. */
const keyOf = ({ mesh, ingress, service, layer, identity }: MeshProbe): string =>
  composed('probe', mesh, ingress, service, layer, identity);

function foundOf(probe: MeshProbe): Probed | undefined {
  const text = svidsDict().get(keyOf(probe));
  return text === undefined ? undefined : (JSON.parse(text) as Probed);
}

/** Sends a probe through the egress server. The request has no body, no credential and no assertion. */
async function ask(egress: string, { at, path, authority, rule }: MeshProbe) {
  try {
    const call = ngx.fetch(`http://unix:${egress}:${at}${encodeURI(path.slice(1))}`, {
      method: 'HEAD',
      headers: { Host: 'meshgate', [TO_PROBE.host]: authority, [TO_PROBE.probe]: rule },
    });
    const { status, headers } = await within(call, MESH_PROBE_TIMEOUT_MS);
    return {
      status,
      reached: Number.isFinite(Number.parseFloat(headers.get(FROM_EGRESS.reached) ?? '')),
      behind: headers.has('x-envoy-upstream-service-time'),
      proxyError: headers.has('l5d-proxy-error'),
      type: headers.get('Content-Type') ?? '',
      length: headers.get('Content-Length') ?? '',
    };
  } catch {
    return undefined;
  }
}

/** Sends one probe, stores its result, and logs it if it differs from the one before. */
async function run(egress: string, probe: MeshProbe): Promise<void> {
  const before = foundOf(probe);
  const answer = await ask(egress, probe);
  const verdict = verdictOf(probe, answer);
  const found: Probed = { verdict, status: answer?.reached ? answer.status : 0, at: Date.now() / 1000 };
  svidsDict().set(keyOf(probe), JSON.stringify(found));
  if ((before?.verdict ?? 'closed') === verdict) return;
  const level = verdict === 'open' ? ngx.ERR : ngx.WARN;
  ngx.log(level, `meshgate: ${probeLine(probe, found)}`);
}

/** Sends the probes, several at a time. Each run begins with those whose results are oldest, and ends within the
 * interval, because the next run would kill it: probes for which there was no time have their turn in the next run. */
export async function probeMeshes({ egress, every, requests }: Probes): Promise<void> {
  const last = Date.now() + every * 1000 - MESH_PROBE_TIMEOUT_MS - 500;
  const due = requests
    .map((probe) => ({ probe, at: foundOf(probe)?.at ?? 0 }))
    .sort((a, b) => a.at - b.at)
    .map(({ probe }) => probe);
  for (let i = 0; i < due.length && Date.now() < last; i += MESH_PROBES_AT_ONCE) {
    await Promise.all(due.slice(i, i + MESH_PROBES_AT_ONCE).map((probe) => run(egress, probe)));
  }
}

/** Returns every probe with its state. */
export const probeStates = ({ every, requests }: Probes, now: number): readonly ProbeState[] =>
  requests.map((probe) => {
    const found = foundOf(probe);
    return { probe, found, state: stateOf(found, every, now) };
  });

/** Returns the state of each mesh that has probes, for readyz. */
export function meshParts(probes: Probes, now: number): Readonly<Record<string, Part>> {
  const states = probeStates(probes, now);
  const names = [...new Set(states.map(({ probe }) => probe.mesh))];
  return Object.fromEntries(names.map((name) => [name, meshPart(states.filter(({ probe }) => probe.mesh === name))]));
}
