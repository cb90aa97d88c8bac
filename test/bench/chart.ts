import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import type { Numbers } from './bounds.ts';
import type { Surroundings } from './machine.ts';
import { systems } from './systems.ts';

const width = 760;
const left = 232;

/** Light and dark: the picture has its own background, so that it is legible on any page. */
const style = `
svg { background: #ffffff; border-radius: 6px; color: #1f2328 }
@media (prefers-color-scheme: dark) { svg { background: #0d1117; color: #e6edf3 } }`;

/** Visible on both backgrounds. */
const colours = { bare: '#848d97', hop: '#848d97', gateway: '#2f81f7', cmodule: '#d4731c', envoy: '#8957e5' } as const;

/** One bar for each system: CPU per request. */
export function chart(numbers: Numbers, at: Surroundings & { readonly date: string }): string {
  const { document } = parseHTML('<!doctype html><html><body></body></html>');
  const bars = systems.flatMap((system) => {
    const { key, label, runs } = system;
    if ('part' in system) return [];
    const value = numbers[`${key}.cpu_us`];
    return value === undefined ? [] : [{ label, value, colour: colours[runs] }];
  });
  const longest = Math.max(...bars.map(({ value }) => value));
  const note = `nginx ${at.nginx}, njs ${at.njs}, one worker; ${at.machine}; ${at.date.slice(0, 10)}`;
  const svg = Plot.plot({
    document,
    width,
    height: bars.length * 30 + 76,
    marginLeft: left,
    marginTop: 44,
    marginBottom: 32,
    marginRight: 16,
    style: { fontSize: '13px' },
    x: { axis: null, domain: [0, longest * 1.12] },
    y: { label: null, domain: bars.map(({ label }) => label), padding: 0.25, tickSize: 0 },
    marks: [
      Plot.barX(bars, { x: 'value', y: 'label', fill: 'colour', rx: 2 }),
      Plot.text(bars, {
        x: 'value',
        y: 'label',
        text: ({ value }) => `${value.toFixed(1)} µs`,
        textAnchor: 'start',
        dx: 6,
      }),
      Plot.text(['CPU of the nginx worker per request (less is better)'], {
        frameAnchor: 'top-left',
        dx: 12 - left,
        dy: -32,
        fontSize: 15,
        fontWeight: 600,
      }),
      Plot.text([note], { frameAnchor: 'bottom-left', dx: 12 - left, dy: 22, fontSize: 11, fillOpacity: 0.75 }),
    ],
  });
  svg.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  svg.setAttribute('role', 'img');
  svg.setAttribute('aria-label', bars.map(({ label, value }) => `${label}: ${value.toFixed(1)} µs`).join('; '));
  const own = document.createElement('style');
  own.textContent = style;
  svg.prepend(own);
  return svg.outerHTML + '\n';
}
