import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { chartHash, MANIFESTS } from './chart-hash.ts';

test.each(MANIFESTS)('%s is rendered from this chart; otherwise "make manifests" writes it', (folder) => {
  const [first = ''] = readFileSync(`${folder}/gateway.yaml`, 'utf8').split('\n');
  expect(first).toBe(`# Rendered from nginx/chart ${chartHash(folder)}: change the chart, and run "make manifests".`);
});
