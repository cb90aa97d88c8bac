import { foreign } from '../../base/hostile-text.ts';
import { columns, type Paint, type Style } from '../common/print.ts';
import type { Finding } from './findings.ts';
import type { Hop } from './hop.ts';
import type { Stories, Story } from './story.ts';

/** The names of the places as headings. */
export const HEADINGS = { gateway: 'gateway', mesh: 'mesh', app: 'service' } as const;

/** What a person wants to know about a request: pairs of a name and a value. */
export function summaryOf({ gateway, hops }: Story): readonly (readonly [name: string, value: string])[] {
  const first = gateway ?? (hops[0] as Hop);
  const fact = (name: string) => gateway?.facts[`meshgate.${name}`];
  const { 'user.id': user, 'user.roles': roles, 'client.address': from } = gateway?.facts ?? {};
  const tool = gateway?.facts['gen_ai.tool.name'] ?? gateway?.facts['mcp.method.name'];
  const provider = fact('provider');
  const alone = fact('alone') === '1' || user === undefined ? fact('agent') : undefined;
  const anonymous = gateway === undefined || alone !== undefined ? undefined : 'an anonymous caller';
  const person = user === undefined ? anonymous : `${user}${provider === undefined ? '' : ` (${provider})`}`;
  const all: readonly (readonly [string, string | undefined])[] = [
    ['request', [first.method, `${first.host ?? ''}${first.path ?? ''}`].filter(Boolean).join(' ')],
    ['request id', first.ids.request],
    ['trace id', first.ids.trace],
    ['caller', person],
    ['roles', roles],
    ['agent', alone === undefined ? fact('agent') : `${alone}, for itself`],
    ['actors', fact('actors')],
    ['tool', tool],
    ['client', from],
    ['rule', fact('rule')],
    ['policy', fact('policy')],
    ['identity', fact('identity')],
    ['service', [fact('service'), fact('upstream')].filter(Boolean).join(' at ')],
    ['erased', fact('erased')],
  ];
  return all.filter((pair): pair is [string, string] => pair[1] !== undefined && pair[1] !== '');
}

/** Writes a time of day with as many digits as the log has. */
export function clock({ time, precision }: Hop): string {
  if (time === undefined) return '';
  const text = new Date(time).toISOString().slice(11, 23);
  return precision >= 1000 ? text.slice(0, 8) : text;
}

/** Writes the day of a time. */
export const dayOf = (time: number): string => new Date(time).toISOString().slice(0, 10);

/** Writes a duration in milliseconds. */
export function took(milliseconds: number | undefined): string {
  if (milliseconds === undefined) return '';
  if (milliseconds >= 10_000) return `${(milliseconds / 1000).toFixed(1)} s`;
  return `${milliseconds >= 10 || Number.isInteger(milliseconds) ? Math.round(milliseconds) : milliseconds.toFixed(1)} ms`;
}

/** What a hop says beside its status, in one line. */
export function aboutHop({ place, facts, peer, refusal, format, path, method }: Hop): string {
  if (place === 'gateway') {
    const upstream = facts['meshgate.upstream'];
    return refusal ?? (upstream === undefined ? '' : `to ${upstream}`);
  }
  if (facts.message !== undefined) return [facts.level, facts.logger, facts.message].filter(Boolean).join(' ');
  return [
    format,
    ...(refusal === undefined ? [] : [refusal]),
    ...(peer === undefined ? [] : [`from ${peer}`]),
    ...(facts.user === undefined ? [] : [`user ${facts.user}`]),
    ...(place === 'app' && method !== undefined ? [`${method} ${path ?? ''}`] : []),
    ...(facts.cluster === undefined ? [] : [`to ${facts.cluster}`]),
  ].join(', ');
}

const STYLES: Readonly<Record<Finding['kind'], Style>> = {
  answered: 'good',
  refused: 'bad',
  failed: 'bad',
  disagrees: 'bad',
  clock: 'strong',
  missing: 'strong',
  unsure: 'strong',
};

/** Longest text of a hop in one line of a terminal. */
const LONGEST = 160;

function storyText(story: Story, paint: Paint): readonly string[] {
  const day = story.hops.find(({ time }) => time !== undefined)?.time;
  const rows = story.hops.map((hop) => [
    clock(hop),
    HEADINGS[hop.place],
    hop.status === undefined ? '' : String(hop.status),
    took(hop.duration),
    foreign(aboutHop(hop), LONGEST),
    `${foreign(hop.file)}:${hop.line}`,
  ]);
  return [
    ...columns(summaryOf(story).map(([name, value]) => [name, foreign(value)])),
    '',
    ...columns([[day === undefined ? 'time' : dayOf(day), 'hop', 'status', 'took', 'what', 'line'], ...rows]),
    '',
    ...story.findings.map(({ kind, text }) => `${paint(STYLES[kind], kind)}: ${foreign(text, 600)}`),
  ];
}

/** Returns notes about a search as a whole. */
export function notesOf({ others, traces }: Stories, cut: boolean, missed: boolean): readonly string[] {
  return [
    ...(others === 0
      ? []
      : [
          `${others} other ${others === 1 ? 'request has' : 'requests have'} the same trace id: meshgate trace ${foreign(traces[0] ?? '')} …`,
        ]),
    ...(cut ? ['there are more lines with this id; only the first ones are shown'] : []),
    ...(missed ? ['standard input was read once, before all ids were known: give the trace id, or a file'] : []),
  ];
}

/** Returns the requests as text for people. */
export function storiesText({ stories }: Stories, paint: Paint): string {
  return `${stories.map((story) => storyText(story, paint).join('\n')).join('\n\n')}\n`;
}
