import { parseHTML } from 'linkedom';
import { expect, test } from 'vitest';
import { chart } from '../../bench/chart.ts';
import { systems } from '../../bench/systems.ts';
import { columns, table } from '../../bench/table.ts';

/** Parts of a request have a table of their own. */
const drawn = systems.filter((system) => !('part' in system));

const numbers = Object.fromEntries(systems.map(({ key }, i) => [`${key}.cpu_us`, 10 + i * 10]));
const at = { nginx: '1.30.6', njs: '1.0.2', machine: 'A CPU, 2 cores', date: '2026-01-02T03:04:05.000Z' };

test('the chart is an SVG with a bar, a name and a number for each system', () => {
  const svg = chart(numbers, at);
  const { document } = parseHTML(svg);
  const texts = [...document.querySelectorAll('text')].map((node) => node.textContent);
  expect(svg.startsWith('<svg ')).toBe(true);
  expect(svg).toContain('xmlns="http://www.w3.org/2000/svg"');
  expect(document.querySelectorAll('rect')).toHaveLength(drawn.length);
  for (const { key, label } of drawn) {
    expect(texts).toContain(label);
    expect(texts).toContain(`${numbers[`${key}.cpu_us`]!.toFixed(1)} µs`);
  }
  expect(texts.join('\n')).toContain('nginx 1.30.6, njs 1.0.2');
});

test('the longest bar is as long as the numbers require', () => {
  const { document } = parseHTML(chart(numbers, at));
  const widths = [...document.querySelectorAll('rect')].map((bar) => Number(bar.getAttribute('width')));
  expect(Math.max(...widths) / Math.min(...widths)).toBeCloseTo(drawn.length);
});

test('the table has ratios to the hop and a result for each bound', () => {
  const text = table({ 'hop.cpu_us': 20, 'known.cpu_us': 30, 'inflight.kb': 13 }, { hop: 0.02, known: 0.05 });
  expect(text).toMatch(/^known token +30\.0 +1\.50 +\+10\.0 +5 %$/m);
  expect(text).toMatch(/^known token \/ hop +1\.50 +<= 1\.8 +yes$/m);
  expect(text).toMatch(/^slow request over bare, KB +13\.0 +<= 12 +no$/m);
  expect(text).toMatch(/^new RS256 token \/ C module +- +<= 1\.5 +not measured$/m);
});

test('columns are aligned', () => {
  expect(
    columns([
      ['name', 'µs'],
      ['a', '10.5'],
      ['long name', '9'],
    ]),
  ).toBe('name         µs\na          10.5\nlong name     9');
});
