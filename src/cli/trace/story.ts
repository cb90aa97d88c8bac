import type { Collected } from './collect.ts';
import { type Finding, findingsOf, NAMES } from './findings.ts';
import { type Hop, PLACES } from './hop.ts';

/** A request at the gateway, and what the other logs say about it. */
export interface Story {
  /** The gateway's line; absent if its log has none. */
  readonly gateway?: Hop;
  /** All hops, in the order in which the request passed them. */
  readonly hops: readonly Hop[];
  readonly findings: readonly Finding[];
}

/** All requests with an id. */
export interface Stories {
  readonly id: string;
  readonly stories: readonly Story[];
  /** How many other requests have the trace id of the one that the id names. */
  readonly others: number;
  readonly traces: readonly string[];
}

const begin = ({ time }: Hop): number => time ?? Number.POSITIVE_INFINITY;

const compared = (a: number, b: number): number => (a < b ? -1 : a > b ? 1 : 0);

/** Orders hops by cause and effect and not by time, because the clocks of machines differ. Of two proxies, the first one
 * saw the gateway's identity, and it took longer, because it waited for the second one. */
function byCause(a: Hop, b: Hop): number {
  const place = PLACES.indexOf(a.place) - PLACES.indexOf(b.place);
  if (place !== 0) return place;
  if (a.place === 'mesh' && a.duration !== b.duration) return compared(b.duration ?? 0, a.duration ?? 0);
  return compared(begin(a), begin(b)) || a.line - b.line;
}

const isSame = (a: string | undefined, b: string | undefined) => a === undefined || b === undefined || a === b;

/** How well a hop fits to a request at the gateway: fewer is better; undefined if it does not fit. */
function misfit(gateway: Hop, hop: Hop): readonly number[] | undefined {
  if (hop.ids.request !== undefined && hop.ids.request === gateway.ids.request) return [0, 0, 0];
  if (hop.format === 'text' || (hop.ids.trace !== undefined && hop.ids.trace === gateway.ids.trace)) {
    const isOther = !isSame(hop.method, gateway.method) || !isSame(hop.path, gateway.path);
    const passed = gateway.refusal === undefined ? 0 : 1;
    return [isOther ? 2 : 1, passed, Math.abs(begin(hop) - begin(gateway)) || 0];
  }
  return undefined;
}

const order = (a: readonly number[], b: readonly number[]) =>
  compared(a[0] as number, b[0] as number) ||
  compared(a[1] as number, b[1] as number) ||
  compared(a[2] as number, b[2] as number);

/** Returns the request at the gateway to which a hop belongs; undefined if there is none. A trace can have many
 * requests, and an ingress can replace their ids. Then method, path and time decide. If only the time does, it is not
 * sure: clients choose trace ids, and can send two such requests at once. */
function ownerOf(hop: Hop, gateways: readonly Hop[]): { readonly owner: Hop; readonly isSure: boolean } | undefined {
  const fitting = gateways.flatMap((gateway) => {
    const by = misfit(gateway, hop);
    return by === undefined ? [] : [{ gateway, by }];
  });
  const [first, second] = fitting.sort((a, b) => order(a.by, b.by));
  if (first === undefined) return undefined;
  const isSure =
    second === undefined || first.by[0] === 0 || second.by[0] !== first.by[0] || second.by[1] !== first.by[1];
  return { owner: first.gateway, isSure };
}

/** Gives each hop to its request. A hop of a mesh that knows the request only by its own id follows the hops with this
 * id. */
function grouped(hops: readonly Hop[]) {
  const gateways = hops.filter(({ place }) => place === 'gateway');
  const groups = new Map(gateways.map((gateway) => [gateway, [gateway]]));
  const owners = new Map<string, Hop>();
  const unsure = new Set<Hop>();
  let left: Hop[] = [];
  for (const hop of hops) {
    if (hop.place === 'gateway') continue;
    const found = ownerOf(hop, gateways);
    if (found === undefined) {
      left.push(hop);
      continue;
    }
    const { owner, isSure } = found;
    if (!isSure) unsure.add(hop);
    groups.get(owner)?.push(hop);
    if (hop.ids.request !== undefined) owners.set(hop.ids.request, owner);
  }
  left = left.filter((hop) => {
    const owner = owners.get(hop.ids.request ?? '');
    if (owner !== undefined) groups.get(owner)?.push(hop);
    return owner === undefined;
  });
  return { groups, loose: left, unsure };
}

/** Says that lines may belong to another request of the trace. */
function doubts(hops: readonly Hop[], unsure: ReadonlySet<Hop>): readonly Finding[] {
  const places = [...new Set(hops.filter((hop) => unsure.has(hop)).map(({ place }) => NAMES[place]))];
  if (places.length === 0) return [];
  const text = `other requests of this trace fit the lines of ${places.join(' and ')} as well: only the time says to which one they belong, unless these logs have X-Request-Id`;
  return [{ kind: 'unsure', text }];
}

/** Puts the lines of all logs together, one story for each request at the gateway. If the id is that of one request, the
 * other requests of its trace are only counted. */
export function storiesOf(id: string, collected: Collected, queried: ReadonlySet<string>): Stories {
  const { hops } = collected;
  const { groups, loose, unsure } = grouped(hops);
  const all = [...groups].map(([gateway, own]) => ({ gateway, hops: own.sort(byCause) }));
  const named = all.filter(({ gateway: { ids } }) => ids.request === id && ids.trace !== id);
  const shown = named.length > 0 ? named : all;
  const rest = named.length > 0 || loose.length === 0 ? [] : [{ hops: [...loose].sort(byCause) }];
  const stories = [...shown, ...rest].sort((a, b) => compared(begin(a.hops[0] as Hop), begin(b.hops[0] as Hop)));
  return {
    id,
    stories: stories.map((story) => ({
      ...story,
      findings: [...findingsOf(story, collected, queried), ...doubts(story.hops, unsure)],
    })),
    others: all.length - shown.length,
    traces: [...new Set(hops.flatMap(({ ids }) => ids.trace ?? []))],
  };
}
