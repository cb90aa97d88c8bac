import { describe, expect, it } from 'vitest';
import { flowSpecs } from './specs.ts';

describe('what a sign-in leans on the engine for', () => {
  for (const { name, got, wanted } of flowSpecs) {
    it(name, async () => {
      expect(await got()).toEqual(wanted);
    });
  }
});
