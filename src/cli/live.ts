import type { Rule } from '../rules/types.ts';
import { WrongUse } from './context.ts';
import type { Ask } from './http.ts';
import { readFile, utf8 } from './load.ts';
import type { TestOutcome } from './policy-tests.ts';
import type { Runtime } from './runtime.ts';

/** What one enforcer made of one test. */
export interface LiveOutcome {
  readonly outcome: TestOutcome;
  /** Who asked: roles, or an identity. */
  readonly as: string;
  /** By the policy: `allowed`, `refused` or a reason code. */
  readonly expect: string;
  /** The same of the enforcer; absent: it was not asked. */
  readonly got?: string;
  /** Status of the answer, where there was one. */
  readonly status?: number;
  readonly agrees: boolean;
  /** Why it was not asked, or why nothing came back. */
  readonly note?: string;
  /** Where the policy and the enforcer part. */
  readonly rule?: Rule;
}

/** Everything that one enforcer was asked. */
export interface Enforcer {
  readonly kind: 'gateway' | 'mesh';
  readonly address: string;
  readonly outcomes: readonly LiveOutcome[];
}

/** The network, or a word on where there is one. */
export function network(runtime: Runtime): Ask {
  if (runtime.ask === undefined) {
    throw new WrongUse('--gateway and --mesh need Node: run "npx meshgate test …"; njs has no network here');
  }
  return runtime.ask;
}

/** Text of a file that a request needs. */
export function textOf(runtime: Runtime, file: string, what: string): string {
  const text = utf8(readFile(runtime, file, what));
  if (text === undefined) throw new WrongUse(`${what} ${file} is not UTF-8`);
  return text;
}

/** `host:port`, an address in brackets allowed. */
export function hostPort(
  text: string,
  what: string,
  port?: number,
): { readonly address: string; readonly port: number } {
  const [, host, given] = /^([^\s:/?#[\]]+|\[[0-9A-Fa-f:.]+\])(?::(\d{1,5}))?$/.exec(text) ?? [];
  const number = given === undefined ? port : Number(given);
  if (host === undefined || number === undefined || number > 65535)
    throw new WrongUse(`${what} ${text}: write HOST:PORT`);
  return { address: host.replace(/^\[(.*)\]$/, '$1'), port: number };
}
