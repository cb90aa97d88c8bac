import * as z from 'zod';
import { FAILOVER, PROXY_DEFAULTS } from '../forms/bounds.ts';
import { hints } from '../forms/hints.ts';
import { key, mapping, onlyTrue, usually } from '../forms/mapping.ts';
import * as s from '../forms/scalars.ts';

const MOST = 100;

const UNLESS_BACKUP = {
  decides: 'destination',
  excludes: { backup: 'no effect: nginx never leaves out a backup, the last way; remove it' },
} as const;

const spelledOut = mapping({
  name: key('destination', s.reference('ingress').describe('The name of the ingress.')),
  weight: usually(
    'destination',
    s.count('requests', MOST),
    1,
    'How many requests it receives in comparison with the others.',
  ),
  backup: key('destination', onlyTrue('nginx uses it only while it can reach none of the others.')),
  max_fails: usually(
    UNLESS_BACKUP,
    s.count('failed attempts', MOST),
    1,
    'After so many failed attempts within fail_timeout, nginx leaves it out while another one is left.',
  ),
  fail_timeout: usually(
    UNLESS_BACKUP,
    s.secondsWithin({ least: '1s', most: '1h' }),
    `${FAILOVER.failTimeout}s`,
    'How long nginx counts failed attempts, and how long it then leaves the ingress out.',
  ),
});

/** An ingress of a service that has several, and how nginx chooses it among them. */
export type IngressChoice = z.output<typeof spelledOut>;

const choice = z
  .union([
    s
      .reference('ingress')
      .describe('The name of an ingress.')
      .transform((name): IngressChoice => ({ name, weight: 1, maxFails: 1, failTimeout: FAILOVER.failTimeout })),
    spelledOut,
  ])
  .register(hints, { what: 'an ingress', write: 'its name, or { name: east, weight: 3 }' });

/** The ingresses of a service. If one does not answer, nginx uses the next. */
export const choices = s
  .list(choice, '[east, { name: west, backup: true }]')
  .describe('The ingresses of this service, instead of one: if the connection to one fails, nginx uses the next.');

/** The longest time, in seconds, from the first attempt until the last ingress has a request. The assertion of the
 * request is valid at least so long: the check uses it again during half of its lifetime. */
export const failoverTime = (lifetime = Number.POSITIVE_INFINITY): number =>
  Math.min(FAILOVER.most, Math.floor(lifetime / 2));

/** The largest `connect_timeout` for several ingresses. An attempt takes up to twice as long, once for the connection
 * and once for TLS, and there must be time for two attempts. */
export const mostConnect = (lifetime?: number): number => Math.floor(failoverTime(lifetime) / 4);

/** The default of `connect_timeout` for a service. */
export const usualConnect = (ingresses: readonly IngressChoice[] | undefined, lifetime?: number): number =>
  ingresses === undefined ? PROXY_DEFAULTS.connectTimeout : Math.min(FAILOVER.connectTimeout, mostConnect(lifetime));
