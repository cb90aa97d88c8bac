import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { formatError, parsePolicy } from '../../../src/policy/index.ts';
import { apply, mistakes, random } from './mistakes.ts';

const policy = readFileSync(new URL('fixtures/full.yaml', import.meta.url), 'utf8');
const all = mistakes(policy, 1);

function report(text: string) {
  return parsePolicy(text, 'meshgate.yaml').errors;
}

test('there are enough mistakes, of enough kinds', () => {
  expect(new Set(all.map((it) => it.edit.to.join('\n') + it.edit.line)).size).toBeGreaterThanOrEqual(100);
  expect(new Set(all.map((it) => it.kind)).size).toBeGreaterThanOrEqual(15);
  expect(report(policy)).toEqual([]);
});

describe('a single mistake is reported once, on its line, with what to write instead', () => {
  test.each(all.map((it) => [`${it.kind}, ${it.what}`, it] as const))('%s', (_, mistake) => {
    const { text, lines } = apply(policy, [mistake]);
    const errors = report(text);
    expect(errors.map(formatError)).toHaveLength(1);
    expect(errors[0]?.at.line).toBe(lines[0]);
    expect(errors[0]?.message).toContain(mistake.says);
    expect(formatError(errors[0] as (typeof errors)[0])).not.toContain('\n');
  });
});

describe('ten mistakes at once are ten errors', () => {
  // A syntax error ends the reading of its section, and two mistakes in one line or about one name may be one.
  const free = all.filter((it) => it.kind !== 'YAML');
  test.each(Array.from({ length: 40 }, (_, seed) => seed))('draw %i', (seed) => {
    const pick = random(seed);
    const drawn: (typeof free)[number][] = [];
    while (drawn.length < 10) {
      const one = free[pick(free.length)];
      if (one && !drawn.some((it) => clash(it, one))) drawn.push(one);
    }
    const { text, lines } = apply(policy, drawn);
    const errors = report(text);
    expect(errors.map(formatError)).toHaveLength(10);
    expect(errors.map((it) => it.at.line)).toEqual([...lines].sort((a, b) => a - b));
    for (const [index, { says }] of drawn.entries()) {
      expect(errors.filter((it) => it.at.line === lines[index]).map((it) => it.message)).toEqual([
        expect.stringContaining(says),
      ]);
    }
  });
});

function clash(a: (typeof all)[number], b: (typeof all)[number]): boolean {
  return a.about.some((line) => b.about.includes(line)) || (a.says === b.says && /role|service/.test(a.kind));
}
