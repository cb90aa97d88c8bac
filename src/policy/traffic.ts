import * as z from 'zod';
import { PROXY_DEFAULTS } from '../limits.ts';
import { hints } from './hints.ts';
import { list, METHODS } from './lists.ts';
import * as s from './scalars.ts';

const flag = z.boolean().register(hints, { what: 'true or false', write: 'true or false' });

/** How nginx proxies requests of a route; a route's keys replace its host's. */
export const proxy = z
  .strictObject({
    stream: flag
      .describe('Events and messages pass at once, both ways: nothing is buffered, and silence may last an hour.')
      .meta({ default: false })
      .optional(),
    connect_timeout: s.duration
      .describe('Longest wait for a connection, TLS included.')
      .meta({ default: `${PROXY_DEFAULTS.connectTimeout}s` })
      .optional(),
    send_timeout: s.duration
      .describe('Longest pause of the service while it takes a request; 1h with stream.')
      .meta({ default: `${PROXY_DEFAULTS.silence}s` })
      .optional(),
    read_timeout: s.duration
      .describe('Longest pause of the service while it answers; 1h with stream.')
      .meta({ default: `${PROXY_DEFAULTS.silence}s` })
      .optional(),
    max_body: s.size
      .describe('Largest body of a request.')
      .meta({ default: `${PROXY_DEFAULTS.maxBody >> 20}m` })
      .optional(),
    buffering: flag.describe('false: answers pass to the client as they come.').meta({ default: true }).optional(),
    request_buffering: flag
      .describe('false: bodies of requests pass to the service as they come.')
      .meta({ default: true })
      .optional(),
  })
  .register(hints, { what: 'a mapping', write: '{ read_timeout: 5m }' })
  .describe('How nginx carries the requests.');

/** Pages of other origins that may send requests to a route; a route's own setting replaces its host's. */
export const cors = z
  .union([
    z.strictObject({
      origins: list(s.origin, '[https://app.example.com]').describe(
        'Origins whose pages may ask, exactly; or "*" alone for all, without credentials.',
      ),
      methods: list(z.enum(METHODS), '[GET, POST]')
        .describe('Methods that they may use. Default: those of the route’s rules.')
        .optional(),
      headers: list(s.headerName, '[Authorization, Content-Type]')
        .describe('Request headers that they may set.')
        .meta({ default: ['Authorization', 'Content-Type'] })
        .optional(),
      expose: list(s.headerName, '[ETag]')
        .describe('Headers of answers that they may read, beside those that all may. Default: none.')
        .optional(),
      credentials: flag.describe('true: the browser sends cookies along.').meta({ default: false }).optional(),
      max_age: s.duration
        .describe('How long a browser remembers what it may do, at most 1d.')
        .meta({ default: '10m' })
        .optional(),
    }),
    z.null(),
  ])
  .register(hints, { what: 'a mapping', write: '{ origins: [https://app.example.com] }, or null for none' })
  .describe('Pages of other origins that may ask; null takes away what the host says.');
