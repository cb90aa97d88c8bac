import { expect, it } from 'vitest';
import { auditSpecs } from './specs.ts';

it.each(auditSpecs)('$name', async ({ got, wanted }) => {
  expect(await got()).toEqual(wanted);
});
