import {
  argument,
  command,
  type FlagsOf,
  flag,
  formatFlag,
  NO,
  parseDuration,
  several,
  switchFlag,
  WrongUse,
  YES,
} from '../common/context.ts';
import { reasonOf } from '../common/load.ts';
import { parseSince, sinceMs } from '../common/log-lines.ts';
import type { Report } from '../common/print.ts';
import type { Runtime } from '../machine/runtime.ts';
import { collect, type Source } from './collect.ts';
import { find, foundText, type Wanted } from './find.ts';
import { requestedId } from './ids.ts';
import { tracePage } from './page.ts';
import { type Stories, storiesOf } from './story.ts';
import { notesOf, storiesText } from './text.ts';

const files = (brief: string) => several(flag('FILE', brief));

/** Parses a duration, which can be milliseconds too, and returns milliseconds. */
function parseMilliseconds(text: string): number {
  const milliseconds = /^(\d{1,9})ms$/.exec(text)?.[1];
  return milliseconds === undefined ? parseDuration(text) * 1000 : Number(milliseconds);
}

function parseCount(text: string): number {
  if (!/^[1-9]\d{0,3}$/.test(text)) throw new Error('write a number from 1 to 9999');
  return Number(text);
}

const flags = {
  nginx: files('A log of the gateway'),
  mesh: files('An access log of the mesh: Envoy, Istio, Consul or Linkerd'),
  app: files('A log of the service: JSON, an access log of Tomcat, or text'),
  log: files('A file in which a collector put the logs of several hops'),
  html: flag('OUT', 'Write the timeline as a page too: one file, without scripts'),
  denied: switchFlag('Find requests that were refused'),
  slow: flag('DURATION', 'Find requests that took at least this long, such as 500ms or 2s', parseMilliseconds),
  user: flag('ID', 'Find requests of this person (user.id)'),
  agent: flag('NAME', 'Find requests of this agent, or with this actor'),
  since: flag('TIME', 'Find requests since a time, or of the last 1h', parseSince),
  limit: flag('COUNT', 'Show this many requests, the newest ones (default 50)', parseCount),
  format: formatFlag,
};

type Flags = FlagsOf<typeof flags>;

const DEFAULT_LIMIT = 50;

function sourcesOf({ nginx = [], log = [], mesh = [], app = [] }: Flags): readonly Source[] {
  const sources: readonly Source[] = [
    ...nginx.map((file) => ({ file, place: 'gateway' as const })),
    ...log.map((file) => ({ file })),
    ...mesh.map((file) => ({ file, place: 'mesh' as const })),
    ...app.map((file) => ({ file, place: 'app' as const })),
  ];
  if (sources.filter(({ file }) => file === '-').length > 1)
    throw new WrongUse('only one file can come from standard input');
  return sources;
}

function wantedOf(runtime: Runtime, { denied, slow, user, agent, since }: Flags): Wanted | undefined {
  if ([denied, slow, user, agent, since].every((it) => it === undefined)) return undefined;
  return {
    ...(denied && { denied }),
    ...(slow !== undefined && { slow }),
    ...(user !== undefined && { user }),
    ...(agent !== undefined && { agent }),
    ...(since !== undefined && { since: sinceMs(runtime, since) }),
  };
}

/** Quotes a file name for a shell. */
const quoted = (text: string) => (/^[\w./:@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

/** The command that shows one of the requests that were found. */
function openCommand(id: string, { nginx, log, mesh, app }: Flags): string {
  const given = Object.entries({ nginx, log, mesh, app }).flatMap(([name, all = []]) =>
    all.map((file) => `--${name} ${quoted(file)}`),
  );
  const hints = [...((mesh ?? log) ? [] : ['--mesh FILE']), ...((app ?? log) ? [] : ['--app FILE'])];
  return ['meshgate trace', id, ...given, ...hints].join(' ');
}

async function findRequests(runtime: Runtime, flags: Flags, wanted: Wanted): Promise<Report> {
  if (flags.html !== undefined) throw new WrongUse('--html shows one request: give its id');
  const sources = sourcesOf(flags).filter(({ place }) => place === undefined || place === 'gateway');
  if (sources.length === 0) throw new WrongUse('give the log of the gateway: --nginx FILE (or --log FILE)');
  const found = await find(runtime, sources, wanted, flags.limit ?? DEFAULT_LIMIT);
  const { count, hops } = found;
  const id = flags.format === 'text' ? hops.at(-1)?.ids.request : undefined;
  return {
    code: count > 0 ? YES : NO,
    value: { count, requests: hops },
    text: () => (count > 0 ? foundText(found) : ''),
    notes: count === 0 ? ['no request matches'] : id === undefined ? [] : [`to open one: ${openCommand(id, flags)}`],
  };
}

function writePage(runtime: Runtime, file: string, stories: Stories): void {
  const slash = file.lastIndexOf('/');
  try {
    runtime.write(slash < 0 ? '.' : file.slice(0, slash) || '/', file.slice(slash + 1), tracePage(stories));
  } catch (error) {
    throw new WrongUse(`cannot write ${file}: ${reasonOf(error)}`);
  }
}

async function showRequest(runtime: Runtime, flags: Flags, text: string): Promise<number | Report> {
  const id = requestedId(text);
  if (id === undefined)
    throw new WrongUse(
      `${JSON.stringify(text)} is no id: give a trace id (32 hexadecimal digits), a request id as on a page of the gateway, or a traceparent`,
    );
  if (flags.limit !== undefined) throw new WrongUse('--limit has no effect with an id');
  const sources = sourcesOf(flags);
  if (sources.length === 0) throw new WrongUse('give the logs: --nginx FILE --mesh FILE --app FILE, or --log FILE');
  const collected = await collect(runtime, sources, id);
  for (const note of collected.notes) runtime.err(`${note}\n`);
  if (collected.hops.length === 0) {
    runtime.err(`no line has the id ${id}\n`);
    return NO;
  }
  const places = sources.flatMap(({ place }) => place ?? [...collected.sampled.keys()]);
  const stories = storiesOf(id, collected, new Set(places));
  if (flags.html !== undefined) writePage(runtime, flags.html, stories);
  return {
    code: YES,
    value: stories,
    text: (paint) => storiesText(stories, paint),
    notes: [
      ...notesOf(stories, collected.cut, collected.missed),
      ...(flags.html === undefined ? [] : [`${flags.html}: the timeline as a page`]),
    ],
  };
}

/** `meshgate trace`: joins the logs of the gateway, the mesh and the service, or finds requests in the gateway's log. */
export const traceCommand = command({
  brief: 'Show one request in the logs of gateway, mesh and service',
  text: 'Joins the lines of all logs that have an id: who made the request, by which rule, over which identity, to which service, the status at each hop, which hop refused, and what does not agree. The id is a trace id, a request id as on a page of the gateway, or a traceparent. A file in .gz is decompressed; - reads standard input. Without an id, finds requests in the log of the gateway.',
  exits: { 0: 'found', 1: 'not found' },
  examples: [
    'meshgate trace 4bf92f3577b34da6a3ce929d0e0e4736 --nginx access.log --mesh envoy.log --app wiki.log',
    'meshgate trace 4bf92f3577b34da6a3ce929d0e0e4736 --log collected.jsonl --html trace.html',
    'kubectl logs deploy/gateway | meshgate trace --denied --since 1h --nginx -',
    'meshgate trace --user ben --slow 500ms --nginx access.log --nginx access.log.1.gz',
  ],
  flags,
  args: [{ ...argument('ID', 'A trace id, a request id or a traceparent'), optional: true }],
  async run(runtime, flags, id) {
    const wanted = wantedOf(runtime, flags);
    if (id !== undefined && wanted !== undefined)
      throw new WrongUse('give an id, or --denied, --slow, --user, --agent and --since, not both');
    if (id !== undefined) return showRequest(runtime, flags, id);
    if (wanted === undefined) throw new WrongUse('give an id, or one of --denied, --slow, --user, --agent and --since');
    return findRequests(runtime, flags, wanted);
  },
});
