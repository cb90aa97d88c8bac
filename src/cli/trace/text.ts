import { foreign } from '../../base/hostile-text.ts';
import type { Paint, Style } from '../common/colours.ts';
import { columns } from '../common/columns.ts';
import type { Finding } from './findings.ts';
import { aboutHop, clock, dayOf, HEADINGS, summaryOf, took } from './headings.ts';
import type { Stories, Story } from './story.ts';

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
