import { expect, it } from 'vitest';
import { longestCalls } from '../../../src/session/limits.ts';

it('the calls of a sign-in are ten calls of the slowest provider, and time for the store', () => {
  // Discovery, four secrets, discovery and keys, UserInfo, a wait, and groups: ten calls. The default is 4 s.
  expect(longestCalls([])).toEqual({ timeout: 4, together: 60 });
  expect(longestCalls([{ timeout: 1 }])).toEqual({ timeout: 4, together: 60 });
  expect(longestCalls([{}, { timeout: 10 }, { timeout: 6 }])).toEqual({ timeout: 10, together: 120 });
});
