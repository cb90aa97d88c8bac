import type { Rule } from '../rules/types.ts';
import { WrongUse } from './context.ts';
import type { Ask } from './http.ts';
import { readFile, utf8 } from './load.ts';
import type { TestOutcome } from './policy-tests.ts';
import type { Runtime } from './runtime.ts';

/** The result of one test at the gateway or the mesh. */
export interface LiveOutcome {
  readonly outcome: TestOutcome;
  /** The caller: roles, or an identity. */
  readonly as: string;
  /** The policy's result: `allowed`, `refused` or a reason code. */
  readonly expect: string;
  /** The result at the gateway or the mesh; absent if it was not asked. */
  readonly got?: string;
  /** Status of the response, if there was one. */
  readonly status?: number;
  readonly agrees: boolean;
  /** Why it was not asked, or why there was no response. */
  readonly note?: string;
  /** The rule on which the results differ. */
  readonly rule?: Rule;
}

/** All results of the gateway or the mesh. */
export interface Enforcer {
  readonly kind: 'gateway' | 'mesh';
  readonly address: string;
  readonly outcomes: readonly LiveOutcome[];
}

/** The network, or an error that says which engine has one. */
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

/** `host:port`; the host may be an address in brackets. */
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
