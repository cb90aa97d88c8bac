import type * as z from 'zod';
import { SITE_NETWORKS } from '../../base/limits.ts';
import * as a from '../forms/addresses.ts';
import { DEFAULTS, MAX_PEOPLE, MAX_SIGNIN_BURST } from '../forms/bounds.ts';
import { hints } from '../forms/hints.ts';
import { computed, key, mapping, onlyTrue, optional, usually } from '../forms/mapping.ts';
import * as s from '../forms/scalars.ts';
import { plainHttp, tls } from './tls.ts';

/** The keys of `gateway` for sign-ins with browsers. */

export const session = mapping({
  keys_file: key(
    'request',
    s.filePath.describe('JWKS of the keys that seal cookies, from "meshgate keys new --session".'),
  ),
  idle: computed('request', s.seconds, '8h', 'How long a session lasts without a request.'),
  absolute: usually('request', s.seconds, `${DEFAULTS.sessionAbsolute / 3600}h`, 'How long a session lasts at most.'),
  fresh: computed(
    'request',
    s.seconds,
    '10m',
    'How long the gateway uses a person’s claims before it asks the provider again.',
  ),
  people: usually(
    'request',
    s.count('people', MAX_PEOPLE, 'a whole number'),
    DEFAULTS.sessionPeople,
    'How many people can have a session at a time; it sets the size of shared memory for their records and revocations.',
  ),
  insecure_forget_revocations: key(
    {
      decides: 'request',
      excludes: { '/gateway/store': 'no effect: the store keeps revocations over a restart; remove one of the two' },
    },
    onlyTrue('The image starts although its state is in memory, without etcd, so that a restart erases revocations.'),
  ),
})
  .transform(({ people, forgetful, ...declared }) => {
    // The default time must not be longer than a shorter time that the policy sets.
    const idle = declared.idle ?? Math.min(DEFAULTS.sessionIdle, declared.absolute);
    const fresh = declared.fresh ?? Math.min(DEFAULTS.sessionFresh, idle);
    return {
      session: { keysFile: declared.keysFile, idle, absolute: declared.absolute, fresh },
      sessionRoom: { people, ...(forgetful && { forgetful }) },
    };
  })
  .describe('People sign in with browsers; a sealed cookie identifies them.');

type Session = z.output<typeof session>;

/** How many seconds a session lasts: without a request, at most, and without the provider's confirmation. */
export type SessionPolicy = Readonly<Session['session']>;

/** What decides the size of nginx's memory for sessions. */
export type SessionRoom = Readonly<Session['sessionRoom']>;

const host = s.text(a.HOST, {
  what: 'the name of one host',
  write: 'a DNS name in lower case, as in auth.example.com',
  fix: (value) => {
    const plain = typeof value === 'string' ? value.toLowerCase().replace(/^https?:\/\/|[:/][\s\S]*$/g, '') : '';
    return a.DOMAIN.test(plain) ? plain : undefined;
  },
});

/** The limit for sign-in requests. nginx itself counts them, per second or per minute. */
const signinLimit = mapping({
  rate: usually(
    'nothing',
    s.text(/^[1-9]\d{0,4}\/[sm]$/, {
      what: 'a rate per second or per minute',
      write: '20/s or 600/m',
      fix: (value) => (/^[1-9]\d{0,4}$/.test(String(value)) ? `${value}/s` : undefined),
    }),
    DEFAULTS.signinRate,
    'The rate of requests of each address in the long run.',
  ),
  burst: usually(
    'nothing',
    s.count('requests', MAX_SIGNIN_BURST),
    DEFAULTS.signinBurst,
    'How many requests may come at once.',
  ),
})
  .register(hints, { what: 'a limit', write: '{ rate: 20/s, burst: 200 }' })
  .describe(
    `The limit of each address, or of each /64 network of IPv6, at the endpoints of the sign-in; a /48 network has ${SITE_NETWORKS} times as much.`,
  );

export const signin = mapping(
  {
    host: optional(
      'request',
      host,
      'The host at which people sign in for all hosts, with one registered callback. Default: people sign in at each host.',
    ),
    tls: optional(
      {
        decides: 'nothing',
        noEffectWithout: { host: 'no effect without host, as each host has its own tls; write host, or remove this' },
        excludes: plainHttp,
      },
      tls,
      'Server certificate of that host in the image. Default: the gateway’s.',
    ),
    pages_dir: optional(
      'nothing',
      s.filePath,
      'Folder of page templates; for files that it lacks, the gateway has defaults.',
    ),
    limit: key('nothing', signinLimit.optional()),
  },
  { notEmpty: 'nothing in it; write host: auth.example.com, or remove it' },
).describe('Where people sign in, and with which pages and limits.');

const prefix = s.text(/^\/(?:[A-Za-z0-9._-]{1,64}\/){1,8}$/, {
  what: 'a prefix of keys',
  write: 'names between slashes, as in /meshgate/',
  fix: (value) =>
    typeof value === 'string' && /^\/?[\w.-]+\/?$/.test(value) ? `/${value.replace(/\//g, '')}/` : undefined,
});

const endpoint = s.text(a.HTTPS_URL, {
  what: 'an https: URL of host and port',
  write: 'the client URL of etcd, as in https://etcd-0:2379 (no path)',
  fix: (value) => {
    const origin = typeof value === 'string' ? /^https?:\/\/[^/?#]+/.exec(value)?.[0].replace('http:', 'https:') : '';
    return origin && a.HTTPS_URL.test(origin) ? origin : undefined;
  },
});

/** The store: etcd, which the gateway uses through its JSON gateway. */
export const store = mapping({
  etcd: key(
    'request',
    s.list(endpoint, '[https://etcd-0:2379]').describe('Endpoints of etcd, which the gateway uses in turn.'),
  ),
  ca_file: optional('request', s.filePath, 'CA for etcd’s certificates. Default: the system’s.'),
  cert_file: key({ decides: 'request', requires: { key_file: true } }, s.certFile.optional()),
  key_file: key({ decides: 'request', requires: { cert_file: true } }, s.keyFile.optional()),
  prefix: usually('request', prefix, DEFAULTS.storePrefix, 'The beginning of each key in etcd.'),
}).describe(
  'The store that several replicas share, with sealed refresh tokens and sign-outs. Default: each replica keeps its own.',
);

export type Etcd = z.output<typeof store>;
