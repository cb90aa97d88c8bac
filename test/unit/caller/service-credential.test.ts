import { expect, test } from 'vitest';
import { credentialSamples } from './service-credential-samples.ts';

test.each(credentialSamples.map((one) => [one.name, one] as const))('%s', (_, { got, wanted }) => {
  expect(got()).toEqual(wanted);
});
