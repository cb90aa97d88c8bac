import { expect, test } from 'vitest';
import cookies from '../../src/entries/cookies.ts';

test('a failure removes every cookie of the service', () => {
  const lines = ['a=1', '__Host-Http-meshgate=evil'];
  // Every function that reads a line throws.
  const failing = new Proxy(lines, {
    get: (of, name) => {
      if (name === 'filter') throw new Error('broken');
      return Reflect.get(of, name);
    },
  });
  const headersOut: Record<string, unknown> = { 'Set-Cookie': failing };
  const r = { headersOut, variables: {} } as unknown as NginxHTTPRequest;
  expect(() => cookies.kept(r)).toThrow('broken');
  expect(headersOut['Set-Cookie']).toEqual([]);
});
