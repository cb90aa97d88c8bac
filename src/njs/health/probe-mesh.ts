import hash from 'crypto';
import { assertionClaims, PROBE_SUBJECT } from '../../assertion/claims.ts';
import { type SigningKeys, signAssertion } from '../../assertion/sign.ts';
import { readSigningKeys } from '../../assertion/signing-keys.ts';
import { composed } from '../../base/composed-key.ts';
import { FROM_EGRESS, TO_PROBE } from '../../base/internal-headers.ts';
import { MESH_PROBE_TIMEOUT_MS, MESH_PROBES_AT_ONCE } from '../../base/limits.ts';
import { meshPart, type Probed, type ProbeState, probeLine, stateOf, verdictOf } from '../../health/mesh-probe.ts';
import type { HealthConfig, MeshProbe, Part } from '../../health/types.ts';
import type { Assertion } from '../../policy/checked/types.ts';
import { NOBODY_PROVIDER } from '../../policy/forms/reserved-names.ts';
import { KeyFile } from '../keys/key-file.ts';
import { svidsDict } from '../shared/dicts.ts';
import { withTimeout } from '../shared/egress-call.ts';

type Probes = NonNullable<HealthConfig['probes']>;

/** Returns the key in the dict for the result of a probe. */
const keyOf = ({ probe, mesh, ingress, service, layer, identity, assertion }: MeshProbe): string =>
  composed('probe', probe, mesh, ingress, service, layer, identity, assertion?.as ?? '');

/** Identifies the request and the object that a result is about. A later policy may have others under the same key. */
const aboutOf = ({ path, object, rule }: MeshProbe): string =>
  hash
    .createHash('sha256')
    .update(composed(path, object, rule))
    .digest('base64url')
    .slice(0, 16);

function foundOf(probe: MeshProbe): Probed | undefined {
  const text = svidsDict().get(keyOf(probe));
  const found = text === undefined ? undefined : (JSON.parse(text) as Probed);
  return found?.about === aboutOf(probe) ? found : undefined;
}

const keyFiles = new Map<string, KeyFile<SigningKeys>>();

/** Signs an assertion that names no person. Returns undefined if there is no key. */
async function assertionFor({ service, assertion }: MeshProbe, settings: Assertion): Promise<string | undefined> {
  const { keysFile } = settings;
  const now = Date.now() / 1000;
  const file = keyFiles.get(keysFile) ?? new KeyFile(keysFile, readSigningKeys, 'no probe has an assertion');
  keyFiles.set(keysFile, file);
  const keys = await file.current(now);
  if (keys === undefined || assertion === undefined) return undefined;
  const { as, roles } = assertion;
  const caller = { provider: NOBODY_PROVIDER, subject: PROBE_SUBJECT, roles };
  const claims = assertionClaims(settings, { service, as }, caller, now);
  const signed = await signAssertion(keys, claims);
  return signed.ok ? signed.value : undefined;
}

/** Sends a probe through the egress server. The request has no body and no credential. */
async function ask({ egress, assertion: settings }: Probes, probe: MeshProbe) {
  const { at, path, authority, rule } = probe;
  try {
    const signed = probe.assertion && settings && (await assertionFor(probe, settings));
    // Without the assertion, the request would be another probe.
    if (probe.assertion !== undefined && signed === undefined) return undefined;
    const headers = { Host: 'meshgate', [TO_PROBE.host]: authority, [TO_PROBE.probe]: rule };
    const call = ngx.fetch(`http://unix:${egress}:${at}${encodeURI(path.slice(1))}`, {
      method: 'HEAD',
      headers: signed === undefined ? headers : { ...headers, [TO_PROBE.assertion]: signed },
    });
    const { status, headers: reported } = await withTimeout(call, MESH_PROBE_TIMEOUT_MS);
    return {
      status,
      reached: Number.isFinite(Number.parseFloat(reported.get(FROM_EGRESS.reached) ?? '')),
      behind: reported.has('x-envoy-upstream-service-time'),
      proxyError: reported.has('l5d-proxy-error'),
      type: reported.get('Content-Type') ?? '',
      length: reported.get('Content-Length') ?? '',
    };
  } catch {
    return undefined;
  }
}

/** Sends one probe, stores its result, and logs it if it differs from the one before. */
async function run(probes: Probes, probe: MeshProbe): Promise<void> {
  const before = foundOf(probe);
  const answer = await ask(probes, probe);
  const verdict = verdictOf(probe, answer);
  const status = answer?.reached ? answer.status : 0;
  // At the start of nginx, the name of the ingress may not be resolved yet: the next run tells whether it answers.
  const unsaid = before === undefined && answer?.reached !== true;
  const found: Probed = { about: aboutOf(probe), verdict, status, at: Date.now() / 1000, ...(unsaid && { unsaid }) };
  svidsDict().set(keyOf(probe), JSON.stringify(found));
  const known = before === undefined || before.unsaid ? 'closed' : before.verdict;
  if (unsaid || known === verdict) return;
  const level = verdict === 'open' ? ngx.ERR : ngx.WARN;
  ngx.log(level, `meshgate: ${probeLine(probe, found)}`);
}

/** Sends the probes, several at a time. Each run begins with those whose results are oldest, and ends within the
 * interval, because the next run would kill it: probes for which there was no time have their turn in the next run. */
export async function probeMeshes(probes: Probes): Promise<void> {
  const { every, requests } = probes;
  const last = Date.now() + every * 1000 - MESH_PROBE_TIMEOUT_MS - 500;
  const due = requests
    .map((probe) => ({ probe, at: foundOf(probe)?.at ?? 0 }))
    .sort((a, b) => a.at - b.at)
    .map(({ probe }) => probe);
  for (let i = 0; i < due.length && Date.now() < last; i += MESH_PROBES_AT_ONCE) {
    await Promise.all(due.slice(i, i + MESH_PROBES_AT_ONCE).map((probe) => run(probes, probe)));
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
