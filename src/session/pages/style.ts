/** Makes each link and button inert for a moment after the page appears, and for clicks also after the pointer enters
 * it. Otherwise a double click or keys that began elsewhere, in the page before or in a window above this one, answer a
 * question that no one has read. An animation that is added begins anew; the first one does not begin again, because a
 * person with a keyboard would lose the focus. */
export const clickGuard = `@keyframes meshgate-shown { from, to { pointer-events: none; interactivity: inert; } }
@keyframes meshgate-entered { from, to { pointer-events: none; } }
a, button { animation: meshgate-shown .8s !important; }
html:hover a, html:hover button { animation: meshgate-shown .8s, meshgate-entered .8s !important; }
`;

/** The stylesheet of the pages. They are readable from 320 px, in light and dark mode, with a contrast of 7 to 1. */
export const style = `:root {
  color-scheme: light dark;
  --back: #f4f5f7;
  --card: #ffffff;
  --text: #1b1f24;
  --soft: #4a525c;
  --line: #737c87;
  --act: #0b4fa8;
  --on-act: #ffffff;
  font: 100%/1.5 system-ui, sans-serif;
}
@media (prefers-color-scheme: dark) {
  :root {
    --back: #14171b;
    --card: #1e2228;
    --text: #eef1f4;
    --soft: #b9c1ca;
    --line: #8a939d;
    --act: #9cc7ff;
    --on-act: #0b1a2c;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--text); }
main {
  max-width: 34rem;
  margin: clamp(1rem, 10vh, 6rem) auto 1rem;
  padding: clamp(1rem, 5vw, 2.5rem);
  background: var(--card);
  border-radius: .5rem;
  overflow-wrap: anywhere;
}
h1 { margin: 0 0 1rem; font-size: 1.6rem; line-height: 1.25; }
h2 { margin: 2rem 0 .5rem; font-size: 1.1rem; }
p, ol, ul { margin: 0 0 1rem; }
ul.choices, ul.actions { list-style: none; padding: 0; }
ul.choices li { margin: 0 0 .75rem; }
ul.actions { display: flex; flex-wrap: wrap; gap: .75rem; margin-top: 1.5rem; }
ol { padding-left: 1.5rem; }
a { color: var(--act); }
a.button, button {
  display: inline-block;
  min-height: 2.75rem;
  padding: .55rem 1.1rem;
  border: 1px solid var(--act);
  border-radius: .3rem;
  background: var(--act);
  color: var(--on-act);
  font: inherit;
  text-align: center;
  text-decoration: none;
  cursor: pointer;
}
a.quiet { background: none; color: var(--act); }
ul.choices a.button { display: block; }
label { display: block; margin: 0 0 .25rem; }
input {
  width: 100%;
  min-height: 2.75rem;
  margin: 0 0 .75rem;
  padding: .5rem;
  border: 1px solid var(--line);
  border-radius: .3rem;
  background: var(--card);
  color: inherit;
  font: inherit;
}
a:focus-visible, button:focus-visible, input:focus-visible { outline: 3px solid var(--act); outline-offset: 2px; }
.wrong { font-weight: 600; }
dl { margin: 2rem 0 0; padding: 1rem 0 0; border-top: 1px solid var(--line); color: var(--soft); font-size: .9rem; }
dt { font-weight: 600; }
dd { margin: 0 0 .5rem; }
code { font-family: ui-monospace, monospace; }
@media (forced-colors: active) { a.button, button, main { border: 1px solid; } }
@media print { body, main { background: none; color: #000; } }
`;

/** The frame of each page, for an operator's folder without \`page.html\`. */
export const page = `<!doctype html>
<html lang="{{lang}}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>{{title}} · {{host}}</title>
<link rel="stylesheet" href="{{stylesheet}}">
</head>
<body>
<main>
{{main}}
</main>
</body>
</html>
`;
