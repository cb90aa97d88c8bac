import { type ReasonCode, reasons } from '../../base/reasons.ts';
import type { Collected, Sampled } from './collect.ts';
import type { Hop, Place } from './hop.ts';

/** What is worth knowing about a request: which hop refused it, and what does not agree. */
export interface Finding {
  readonly kind: 'answered' | 'refused' | 'failed' | 'disagrees' | 'clock' | 'missing' | 'unsure';
  readonly text: string;
}

interface Joined {
  readonly gateway?: Hop;
  readonly hops: readonly Hop[];
}

/** The names of the places in sentences. */
export const NAMES: Readonly<Record<Place, string>> = { gateway: 'the gateway', mesh: 'the mesh', app: 'the service' };

const isReason = (code: string): code is ReasonCode => Object.hasOwn(reasons, code);

const wordOf = ({ place, format }: Hop): string =>
  place === 'mesh' ? `${NAMES.mesh} (${format})` : (NAMES[place] as string);

const kindOf = (status: number): 'refused' | 'failed' => (status >= 500 ? 'failed' : 'refused');

/** Which hop answered, and why it refused the request. */
function outcome({ gateway, hops }: Joined): readonly Finding[] {
  const refusing = hops.find(({ refusal }) => refusal !== undefined);
  if (refusing?.place === 'gateway') {
    const code = refusing.refusal as string;
    const help = isReason(code) ? `. ${reasons[code].help}` : '';
    return [{ kind: 'refused', text: `the gateway refused the request: ${code}${help}` }];
  }
  const answers = hops.filter(({ place, status }) => place === 'app' && status !== undefined);
  // Of several proxies in front of each other, the last one answered, and the others passed its answer on.
  const proxy = hops.filter(({ place, refusal }) => place === 'mesh' && refusal !== undefined).at(-1);
  if (proxy !== undefined && answers.length === 0)
    return [{ kind: 'refused', text: `${wordOf(proxy)} answered ${proxy.status ?? ''}: ${proxy.refusal}` }];
  const last = answers.at(-1) ?? hops.filter(({ status }) => status !== undefined).at(-1);
  if (last?.status === undefined) return [];
  if (last.place === 'app' && last.status >= 400)
    return [
      { kind: kindOf(last.status), text: `the service answered ${last.status}; the gateway and the mesh let it pass` },
    ];
  if (last.place === 'mesh' && last.status >= 400)
    return [{ kind: kindOf(last.status), text: `the service behind ${wordOf(last)} answered ${last.status}` }];
  if (last.place === 'gateway' && last.status >= 500)
    return [
      {
        kind: 'failed',
        text: `the gateway answered ${last.status}: it got no valid answer from ${last.facts['meshgate.upstream'] ?? 'the service'}`,
      },
    ];
  if (last.place === 'gateway' && last.status >= 400)
    return [{ kind: 'refused', text: `the gateway allowed the request, and a hop behind it answered ${last.status}` }];
  return gateway === undefined
    ? []
    : [{ kind: 'answered', text: `the gateway allowed the request, and the answer is ${last.status}` }];
}

/** Status codes, rules and identities that differ between two hops. */
function disagreements({ hops }: Joined): readonly Finding[] {
  const found: string[] = [];
  const withStatus = hops.filter(({ status }) => status !== undefined);
  for (const [i, hop] of withStatus.entries()) {
    const before = withStatus[i - 1];
    if (before === undefined || before.status === hop.status || before.place === hop.place) continue;
    found.push(
      `the status differs: ${wordOf(before)} says ${before.status}, ${wordOf(hop)} says ${hop.status}${reasonFor(before)}`,
    );
  }
  const ruled = hops.filter(({ rule, refusal }) => rule !== undefined && refusal === undefined);
  for (const hop of ruled.slice(1)) {
    const [first] = ruled as [Hop];
    if (hop.rule !== first.rule)
      found.push(`the rule differs: ${wordOf(first)} says ${first.rule}, ${wordOf(hop)} says ${hop.rule}`);
  }
  return found.map((text) => ({ kind: 'disagrees', text }));
}

const reasonFor = ({ place, status }: Hop): string =>
  place === 'gateway' && status === 499
    ? ' (499: the client did not wait)'
    : place === 'gateway' && (status === 502 || status === 504)
      ? ' (the answer was too late or broken for nginx)'
      : '';

/** Returns how far a hop's clock differs at least from the gateway's, in milliseconds; 0 if they can be equal. A message
 * of an application can come after the answer. */
export function skewOf(gateway: Hop | undefined, hop: Hop): number {
  if (gateway?.time === undefined || hop.time === undefined || hop.place === 'gateway') return 0;
  const first = gateway.time;
  const last = gateway.time + gateway.precision + (gateway.duration ?? 0);
  if (hop.time + hop.precision < first) return hop.time + hop.precision - first;
  const isMessage = hop.place === 'app' && hop.status === undefined;
  return hop.time > last && !isMessage ? hop.time - last : 0;
}

function clocks({ gateway, hops }: Joined): readonly Finding[] {
  const skewed = new Map<string, number>();
  for (const hop of hops) {
    const skew = skewOf(gateway, hop);
    if (Math.abs(skew) > Math.abs(skewed.get(wordOf(hop)) ?? 0)) skewed.set(wordOf(hop), skew);
  }
  return [...skewed].map(([name, skew]) => ({
    kind: 'clock',
    text: `the clock of ${name} is at least ${(Math.abs(skew) / 1000).toFixed(1)} s ${skew < 0 ? 'behind' : 'ahead of'} the gateway's: the order below is that of cause and effect`,
  }));
}

/** What to enable, by format, so that the lines have an id that the gateway's line has. */
const ENABLE: Readonly<Record<string, string>> = {
  Envoy:
    'add %REQ(TRACEPARENT)% to the access log of Envoy (docs/trace.md#istio; the Envoy that meshgate renders has it)',
  Linkerd: 'annotate the pods with config.linkerd.io/access-log: json (docs/trace.md#linkerd)',
  'access log': 'add %{traceparent}i and %{X-Request-Id}i to the pattern of the access log (docs/trace.md#tomcat)',
  JSON: 'let the application log the header traceparent, or X-Request-Id (docs/trace.md#applications)',
  text: 'let the application log the header traceparent, or X-Request-Id (docs/trace.md#applications)',
};

function whyMissing(place: Place, sampled: Sampled | undefined): string {
  const what = `the log of ${NAMES[place]} has no line about this request`;
  if (sampled === undefined || sampled.lines === 0) return `${what}: the file has no line that can be read`;
  const [format = ''] = sampled.formats;
  // An ingress replaces the request id, so lines of a mesh need the trace id.
  const known = place === 'mesh' && format === 'Envoy' ? sampled.traced : Math.max(sampled.traced, sampled.requested);
  if (known === 0) return `${what}, because its lines have no trace id: ${ENABLE[format] ?? ENABLE.JSON}`;
  return `${what}, although other lines have ids: the request did not get there, or the file is of another time or machine`;
}

/** Hops that should be there, because the gateway sent the request on. */
function missing({ gateway, hops }: Joined, collected: Collected, queried: ReadonlySet<string>): readonly Finding[] {
  const places = new Set(hops.map(({ place }) => place));
  const { 'meshgate.upstream': upstream, 'meshgate.identity': identity } = gateway?.facts ?? {};
  const sentOn = gateway === undefined || (gateway.refusal === undefined && upstream !== undefined);
  const direct = gateway !== undefined && sentOn && identity === undefined;
  const isRefused = hops.some(({ place, refusal }) => place === 'mesh' && refusal !== undefined);
  const found: string[] = [];
  const lacks = (place: Place) => queried.has(place) && !places.has(place);
  if (lacks('gateway')) found.push(whyMissing('gateway', collected.sampled.get('gateway')));
  if (sentOn && !direct && lacks('mesh')) found.push(whyMissing('mesh', collected.sampled.get('mesh')));
  if (sentOn && !isRefused && lacks('app')) found.push(whyMissing('app', collected.sampled.get('app')));
  return found.map((text) => ({ kind: 'missing', text }));
}

/** Returns the findings about a request, the most important first.
 * @param queried the places whose logs were read */
export function findingsOf(joined: Joined, collected: Collected, queried: ReadonlySet<string>): readonly Finding[] {
  return [...outcome(joined), ...disagreements(joined), ...clocks(joined), ...missing(joined, collected, queried)];
}
