import { expect, test } from 'vitest';
import { errorOf, Rejected } from '../../../mesh/lab/kube.ts';

test.each([400, 403, 404, 409, 415, 422])('the status %d is a verdict about the object', (status) => {
  const error = errorOf('wiki', { status, body: { message: 'invalid' } });
  expect(error).toBeInstanceOf(Rejected);
  expect(error.message).toBe(`wiki: ${status} invalid`);
});

test.each([401, 408, 429, 500, 503, 504])('the status %d says nothing about the object', (status) => {
  const error = errorOf('wiki', { status, body: 'failed calling webhook' });
  expect(error).not.toBeInstanceOf(Rejected);
  expect(error.message).toBe(`wiki: ${status} failed calling webhook`);
});
