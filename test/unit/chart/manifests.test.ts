import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { chartHash } from './chart-hash.ts';

test('nginx/manifests is rendered from this chart; otherwise "make manifests" writes it', () => {
  const [first = ''] = readFileSync('nginx/manifests/gateway.yaml', 'utf8').split('\n');
  expect(first).toBe(`# Rendered from nginx/chart ${chartHash()}: change the chart, and run "make manifests".`);
});
