import { foreign } from '../../base/hostile-text.ts';
import { sha256 } from '../../session/flow/random.ts';
import { type Html, html } from '../../session/pages/escape.ts';
import { aboutHop, clock, dayOf, HEADINGS, summaryOf, took } from './headings.ts';
import type { Hop } from './hop.ts';
import { style } from './page-style.ts';
import type { Stories, Story } from './story.ts';

/** The width of the bars in units of the drawing. */
const WIDTH = 100;

interface Span {
  readonly from: number;
  readonly to: number;
}

/** The time that the bars show: from the first begin to the last end. Whole seconds are not precise enough for a bar. */
function spanOf(hops: readonly Hop[]): Span | undefined {
  const exact = hops.filter((hop): hop is Hop & { time: number } => hop.time !== undefined && hop.precision < 1000);
  if (exact.length === 0) return undefined;
  const from = Math.min(...exact.map(({ time }) => time));
  const to = Math.max(...exact.map(({ time, duration = 0 }) => time + duration));
  return to > from ? { from, to } : undefined;
}

/** A bar as SVG, because the page's own policy forbids styles on elements. Screen readers read the times beside it. */
function bar({ time, duration = 0, precision, place }: Hop, span: Span | undefined): Html {
  if (span === undefined || time === undefined || precision >= 1000) return html``;
  const scale = WIDTH / (span.to - span.from);
  const x = (time - span.from) * scale;
  const width = Math.max(1, duration * scale);
  return html`<svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true" focusable="false"><rect class="${place}" x="${Math.min(x, WIDTH - 1).toFixed(2)}" y="1" width="${Math.min(width, WIDTH).toFixed(2)}" height="6"/></svg>`;
}

/** Text for the page: escaped for HTML by the tag, and without characters that reverse the order of text. */
const plain = (text: string): string => foreign(text, 2000);

function hopRow(hop: Hop, span: Span | undefined): Html {
  const facts = Object.entries(hop.facts).filter(([, value]) => value !== '');
  const details =
    facts.length === 0
      ? html``
      : html`<details><summary>all of the line</summary><dl>${facts.map(([name, value]) => html`<dt>${plain(name)}</dt><dd>${plain(value)}</dd>`)}</dl></details>`;
  const status = hop.status === undefined ? '' : String(hop.status);
  return html`<tr class="${hop.place}${hop.refusal === undefined ? '' : ' refused'}"><th scope="row">${HEADINGS[hop.place]}</th><td class="number">${clock(hop)}</td><td class="number">${status}</td><td class="number">${took(hop.duration)}${bar(hop, span)}</td><td>${plain(aboutHop(hop))}<p class="from">${plain(hop.file)}, line ${String(hop.line)}</p>${details}</td></tr>
`;
}

function section(story: Story, index: number): Html {
  const span = spanOf(story.hops);
  const day = story.hops.find(({ time }) => time !== undefined)?.time;
  const heading = `request-${index + 1}`;
  const [[, request] = ['', ''], ...rest] = summaryOf(story);
  return html`<section aria-labelledby="${heading}">
<h2 id="${heading}">${plain(request)}</h2>
<ul class="findings">${story.findings.map(({ kind, text }) => html`<li class="${kind}"><strong>${kind}</strong> ${plain(text)}</li>`)}</ul>
<dl>${rest.map(([name, value]) => html`<dt>${name}</dt><dd>${plain(value)}</dd>`)}</dl>
<div class="scroll" tabindex="0" role="region" aria-label="Timeline of request ${String(index + 1)}">
<table>
<caption>The hops in the order of cause and effect${day === undefined ? '' : `, ${dayOf(day)} UTC`}</caption>
<thead><tr><th scope="col">hop</th><th scope="col">time</th><th scope="col">status</th><th scope="col">took</th><th scope="col">what</th></tr></thead>
<tbody>
${story.hops.map((hop) => hopRow(hop, span))}</tbody>
</table>
</div>
</section>
`;
}

/** Returns the timeline as one HTML page. It loads nothing and runs no script, and its policy (CSP) allows only its own
 * stylesheet. */
export function tracePage({ id, stories }: Stories): string {
  const policy = `default-src 'none'; style-src 'sha256-${Buffer.from(sha256(style), 'base64url').toString('base64')}'; base-uri 'none'; form-action 'none'`;
  const { text } = html`<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>Trace ${id}</title>
`;
  const body = html`<main>
<h1>Trace <code>${id}</code></h1>
${stories.map(section)}</main>
`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
${text}<style>${style}</style>
</head>
<body>
${body.text}</body>
</html>
`;
}
