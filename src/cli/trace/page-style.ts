/** The stylesheet of a timeline. It is readable in light and dark mode, and from 320 px. */
export const style = `:root {
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
