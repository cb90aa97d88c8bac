import * as z from 'zod';
import { hints } from './hints.ts';

/** Methods that a policy may name: those of HTTP and of WebDAV that nginx and Envoy support. */
export const METHODS = [
  ...['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'],
  ...['PROPFIND', 'PROPPATCH', 'MKCOL', 'COPY', 'MOVE', 'LOCK', 'UNLOCK', 'REPORT', 'SEARCH'],
] as const;

/** A list that is not empty; `write` is an example. */
export const list = <T extends z.ZodType>(element: T, write: string) =>
  z.array(element).min(1).register(hints, { what: 'a list with something in it', write });
