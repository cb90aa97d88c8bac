import { foreign } from '../../base/hostile-text.ts';
import { sha256 } from '../../session/flow/random.ts';
import { type Html, html } from '../../session/pages/escape.ts';
import type { Hop } from './hop.ts';
import type { Stories, Story } from './story.ts';
import { aboutHop, clock, dayOf, HEADINGS, summaryOf, took } from './text.ts';

/** The stylesheet of a timeline. It is readable in light and dark mode, and from 320 px. */
const style = `:root {
  color-scheme: light dark;
  --back: #f4f5f7;
  --card: #ffffff;
  --text: #1b1f24;
  --soft: #4a525c;
  --line: #c9ced4;
  --gateway: #0b4fa8;
  --mesh: #6b3fa0;
  --app: #1f6b3a;
  --bad: #9c1c1c;
  font: 100%/1.5 system-ui, sans-serif;
}
@media (prefers-color-scheme: dark) {
  :root {
    --back: #14171b;
    --card: #1e2228;
    --text: #eef1f4;
    --soft: #b9c1ca;
    --line: #4a525c;
    --gateway: #9cc7ff;
    --mesh: #d3b8ff;
    --app: #93dcae;
    --bad: #ffb3ab;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--text); }
main { max-width: 72rem; margin: 0 auto; padding: clamp(1rem, 4vw, 2.5rem); }
h1 { margin: 0 0 1.5rem; font-size: 1.3rem; overflow-wrap: anywhere; }
h2 { margin: 0 0 1rem; font-size: 1.1rem; overflow-wrap: anywhere; }
section { margin: 0 0 2rem; padding: clamp(1rem, 3vw, 2rem); background: var(--card); border-radius: .5rem; }
code, .number { font-family: ui-monospace, monospace; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; margin: 0 0 1.5rem; }
dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; }
ul.findings { margin: 0 0 1.5rem; padding: 0; list-style: none; }
ul.findings li { margin: 0 0 .5rem; padding: .5rem .75rem; border-left: .3rem solid var(--soft); overflow-wrap: anywhere; }
ul.findings li.answered { border-color: var(--app); }
ul.findings li.refused, ul.findings li.failed, ul.findings li.disagrees { border-color: var(--bad); }
.scroll { overflow-x: auto; }
.scroll:focus-visible, summary:focus-visible { outline: 3px solid var(--gateway); outline-offset: 2px; }
table { width: 100%; border-collapse: collapse; }
caption { padding: 0 0 .5rem; color: var(--soft); text-align: left; }
th, td { padding: .5rem .75rem .5rem 0; border-top: 1px solid var(--line); text-align: left; vertical-align: top; }
td:last-child { width: 60%; min-width: 16rem; overflow-wrap: anywhere; }
.number { white-space: nowrap; }
tr.gateway th { color: var(--gateway); }
tr.mesh th { color: var(--mesh); }
tr.app th { color: var(--app); }
tr.refused td { color: var(--bad); }
tr.refused details, tr.refused .from { color: var(--text); }
svg { display: block; width: 8rem; height: .6rem; margin-top: .3rem; background: var(--back); }
rect.gateway { fill: var(--gateway); }
rect.mesh { fill: var(--mesh); }
rect.app { fill: var(--app); }
.from { margin: 0; color: var(--soft); font-size: .85rem; }
details dl { margin: .5rem 0 0; font-size: .9rem; }
summary { cursor: pointer; }
@media (max-width: 40rem) { dl { grid-template-columns: 1fr; } dd { margin: 0 0 .5rem; } }
@media (forced-colors: active) { section { border: 1px solid; } }
@media print { body, section { background: none; color: #000; } }
`;

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
