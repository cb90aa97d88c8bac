import { createHash } from 'node:crypto';
import type { ServerResponse } from 'node:http';

/** Text that is HTML already; all other text is escaped. */
export class Markup {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

type Part = string | number | undefined | false | Markup | readonly Part[];

/** A template whose values are escaped, in text and in quoted attributes. */
export function html(strings: TemplateStringsArray, ...values: readonly Part[]): Markup {
  return new Markup(
    strings.reduce((text, string, i) => text + string + (i < values.length ? render(values[i]) : ''), ''),
  );
}

function render(part: Part): string {
  if (part === undefined || part === false) return '';
  if (part instanceof Markup) return part.text;
  if (typeof part === 'object') return part.map(render).join('');
  return String(part).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

const style = `
:root { color-scheme: light dark; --ground: #f6f7f9; --card: #fff; --text: #1c2430; --quiet: #5a6675; --line: #d9dee5; --accent: #0b62d6; --good: #17733a; --bad: #b3261e }
@media (prefers-color-scheme: dark) { :root { --ground: #14181e; --card: #1d232b; --text: #e7ebf0; --quiet: #a3afbd; --line: #343d49; --accent: #7db3ff; --good: #6fd196; --bad: #ff8f86 } }
* { box-sizing: border-box }
body { margin: 0; background: var(--ground); color: var(--text); font: 1rem/1.5 system-ui, sans-serif }
header, main, footer { max-width: 46rem; margin: 0 auto; padding: 0 1rem }
header { display: flex; flex-wrap: wrap; gap: .25rem 1rem; justify-content: space-between; align-items: baseline; padding-block: 1rem; border-bottom: 1px solid var(--line) }
header a { color: inherit; text-decoration: none }
header strong { font-size: 1.1rem }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 1.5rem 0 .5rem; text-wrap: balance }
h2 { font-size: 1rem; margin: 0 0 .5rem }
a { color: var(--accent) }
p { margin: .5rem 0 }
section { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: 1rem; margin: 1rem 0 }
dl { display: grid; grid-template-columns: minmax(7rem, max-content) 1fr; gap: .4rem 1rem; margin: 0 }
dt { color: var(--quiet) } dd { margin: 0; min-width: 0 }
code, pre { font: .875rem/1.5 ui-monospace, monospace; overflow-wrap: anywhere }
pre { margin: 0; white-space: pre-wrap }
.quiet, footer { color: var(--quiet); font-size: .9rem } .good { color: var(--good) } .bad { color: var(--bad) }
.tag { display: inline-block; border: 1px solid var(--line); border-radius: 1rem; padding: 0 .6rem; margin: 0 .25rem .25rem 0 }
ul.list { list-style: none; padding: 0; margin: 0 } ul.list li { padding: .6rem 0; border-top: 1px solid var(--line) } ul.list li:first-child { border-top: 0 }
label { display: block; margin: .75rem 0 .25rem } input, textarea, button { font: inherit; color: inherit }
input, textarea { width: 100%; padding: .5rem; background: var(--ground); border: 1px solid var(--line); border-radius: .3rem }
button { margin-top: 1rem; padding: .5rem 1rem; background: var(--accent); color: var(--card); border: 0; border-radius: .3rem; cursor: pointer }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px }
footer { padding-block: 1rem 2rem }
@media (max-width: 30rem) { dl { grid-template-columns: 1fr; gap: 0 } dd { margin-bottom: .6rem } }
`;

/** The policy allows nothing except this page and its own style; it names the targets of forms. */
const contentSecurityPolicy = (forms: string) =>
  [
    "default-src 'none'",
    `style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'`,
    `form-action ${forms}`,
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; ');

/** A whole page. `home` is the text at the top left, `who` at the top right. */
export function page(title: string, home: string, who: string, body: Markup): Markup {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · ${home}</title>
<style>${new Markup(style)}</style>
</head>
<body>
<header><a href="/"><strong>${home}</strong></a><span>${who}</span></header>
<main>
${body}
</main>
</body>
</html>
`;
}

/** The headers of a page. Its forms go to this origin only, redirects included, unless `forms` says otherwise. */
export function pageHeaders(forms = "'self'"): Record<string, string> {
  return {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': contentSecurityPolicy(forms),
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'same-origin',
    'cache-control': 'no-store',
    vary: 'Accept',
  };
}

/** Answers with a page. */
export function sendPage(response: ServerResponse, status: number, markup: Markup, forms?: string): void {
  response.writeHead(status, { ...pageHeaders(forms), 'content-length': Buffer.byteLength(markup.text) });
  response.end(markup.text);
}
