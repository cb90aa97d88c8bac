import { describe, expect, it } from 'vitest';
import { flowSpecs } from './specs.ts';

describe('the engine has what a sign-in needs', () => {
  for (const { name, got, wanted } of flowSpecs) {
    it(name, async () => {
      expect(await got()).toEqual(wanted);
    });
  }
});
