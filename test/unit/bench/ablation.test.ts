import { expect, test } from 'vitest';
import { ablationRows, partKey, parts, withAblation } from '../../bench/ablation.ts';

const numbers = Object.fromEntries(parts.map(({ part }, i) => [partKey(part), 30 + 10 * i]));

test('each part has its cost beyond the part above, and its ratio to the bare proxy', () => {
  expect(ablationRows(numbers).slice(1, 3)).toEqual([
    ['bare proxy', '30.0', '', '1.00'],
    ['the rendered proxying without a check', '40.0', '10.0', '1.33'],
  ]);
});

test('Envoy is compared with the bare proxy alone', () => {
  expect(ablationRows(numbers).at(-1)).toEqual(['beside it: Envoy with `jwt_authn` and its cache', '80.0', '', '2.67']);
});

test('the table in the docs is replaced only if all parts were measured', () => {
  const text = 'before\n\n<!-- ablation -->\n\n| old |\n| --- |\n\nafter\n';
  const fresh = withAblation(text, numbers);
  expect(fresh.split('\n').filter((line) => line.startsWith('|'))).toHaveLength(2 + parts.length);
  expect([fresh.startsWith('before\n'), fresh.endsWith('|\n\nafter\n')]).toEqual([true, true]);
  expect(withAblation(fresh, numbers)).toBe(fresh);
  expect(withAblation('<!-- ablation -->\n\nafter\n', numbers)).toContain('|\n\nafter\n');
  expect(withAblation(text, { [partKey('bare')]: 30 })).toBe(text);
});
