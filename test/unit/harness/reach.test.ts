import { expect, test } from 'vitest';
import { refuseUnreachable } from '../../harness/reach.ts';

test('an address in a network of this machine is accepted', () => {
  expect(() => refuseUnreachable('echo', '127.0.0.7')).not.toThrow();
});

test('an address in no network of this machine is rejected in one line that says what is needed', () => {
  // Reserved: no machine is in such a network.
  expect(() => refuseUnreachable('echo', '240.0.0.7')).toThrow(
    /^echo has the address 240\.0\.0\.7, .*Docker engine that runs as root on this Linux machine.*$/,
  );
});
