import { foreign } from '../../base/hostile-text.ts';
import { columns } from '../common/print.ts';
import type { Runtime } from '../machine/runtime.ts';
import { eachLine, hopsIn, longNote, type Source } from './collect.ts';
import type { Hop } from './hop.ts';
import { clock, dayOf, took } from './text.ts';

/** Which requests are looked for. All that are given must be true. */
export interface Wanted {
  /** The gateway or a service refused it: status 401, 403, 429, or a reason. */
  readonly denied?: boolean;
  /** At least this long, in milliseconds. */
  readonly slow?: number;
  readonly user?: string;
  /** The agent, or an actor of the chain. */
  readonly agent?: string;
  /** Not before this time, in milliseconds since the epoch. */
  readonly since?: number;
}

export interface Found {
  /** The newest requests, the oldest first. */
  readonly hops: readonly Hop[];
  readonly count: number;
}

const DENIED = [401, 403, 407, 429];

function matches(hop: Hop, { denied, slow, user, agent, since }: Wanted): boolean {
  const { facts, refusal, status = 0, duration = 0, time } = hop;
  if (denied && refusal === undefined && !DENIED.includes(status)) return false;
  if (slow !== undefined && duration < slow) return false;
  if (user !== undefined && facts['user.id'] !== user) return false;
  const actors = [facts['meshgate.agent'], ...(facts['meshgate.actors'] ?? '').split(/[\s,]+/)];
  if (agent !== undefined && !actors.includes(agent)) return false;
  return since === undefined || (time !== undefined && time + duration + hop.precision > since);
}

/** Finds requests in the gateway's log. Only the newest ones are kept.
 * @param most how many are kept */
export async function find(runtime: Runtime, sources: readonly Source[], wanted: Wanted, most: number): Promise<Found> {
  let hops: Hop[] = [];
  let count = 0;
  const newest = () => hops.sort((a, b) => (a.time ?? 0) - (b.time ?? 0)).slice(-most);
  // The text of JSON can escape a name, so only names without such characters narrow the search.
  const needles = [wanted.user, wanted.agent].filter((name) => name !== undefined && /^[\w@.:-]+$/.test(name));
  const isPossible = (text: string) =>
    text.includes('meshgate.policy') && needles.every((needle) => text.includes(needle as string));
  for (const source of sources) {
    const long = await eachLine(runtime, source.file, (text, line) => {
      if (!text.includes('meshgate.policy')) return;
      for (const hop of hopsIn(source, text, line, isPossible)) {
        if (hop.place !== 'gateway' || !matches(hop, wanted)) continue;
        count++;
        hops.push(hop);
      }
      if (hops.length > 4 * most) hops = newest();
    });
    for (const note of longNote(source.file, long)) runtime.err(`${note}\n`);
  }
  return { hops: newest(), count };
}

/** The time in the line, which is when the response was complete: so the line is easy to find by it. */
function timeText(hop: Hop): string {
  if (hop.time === undefined) return '';
  const time = hop.time + (hop.duration ?? 0);
  return `${dayOf(time)} ${clock({ ...hop, time })}`;
}

/** Returns the requests as a table. */
export function foundText({ hops, count }: Found): string {
  const rows = hops.map((hop) => [
    timeText(hop),
    foreign(hop.ids.request ?? ''),
    String(hop.status ?? ''),
    took(hop.duration),
    foreign(hop.facts['user.id'] ?? hop.facts['meshgate.agent'] ?? '-', 40),
    foreign(hop.refusal ?? '-', 40),
    foreign(hop.rule ?? '-', 80),
    foreign([hop.method, `${hop.host ?? ''}${hop.path ?? ''}`].filter(Boolean).join(' '), 120),
  ]);
  const head = ['time', 'request id', 'status', 'took', 'caller', 'reason', 'rule', 'request'];
  const left = count - hops.length;
  return `${columns([head, ...rows]).join('\n')}\n${left === 0 ? '' : `${left} older ${left === 1 ? 'request is' : 'requests are'} left out\n`}`;
}
