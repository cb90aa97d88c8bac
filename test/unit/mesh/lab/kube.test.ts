import { expect, test } from 'vitest';
import { errorOf, Rejected } from '../../../mesh/lab/kube.ts';

test.each([400, 403, 404, 409, 415, 422])('the status %d is a verdict about the object', (status) => {
  const error = errorOf('wiki', { status, body: { message: 'invalid' } });
  expect(error).toBeInstanceOf(Rejected);
  expect(error.message).toBe(`wiki: ${status} invalid`);
});

test('so is the status 500 with the words of its schema', () => {
  const message = 'failed to create typed patch object (wiki/one): .spec.rule: field not declared in schema';
  expect(errorOf('wiki', { status: 500, body: { message } })).toBeInstanceOf(Rejected);
});

test.each([401, 408, 429, 500, 503, 504])('the status %d says nothing about the object', (status) => {
  const error = errorOf('wiki', { status, body: 'failed calling webhook' });
  expect(error).not.toBeInstanceOf(Rejected);
  expect(error.message).toBe(`wiki: ${status} failed calling webhook`);
});
