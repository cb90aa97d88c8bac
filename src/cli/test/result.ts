import type { Rule } from '../../rules/types.ts';
import { WrongUse } from '../common/context.ts';
import type { TestOutcome } from '../decide/policy-tests.ts';

/** The result of one test at the gateway or the mesh. */
export interface LiveOutcome {
  readonly outcome: TestOutcome;
  /** The caller: its roles, or its identity. */
  readonly as: string;
  /** The result by the policy: `allowed`, `refused` or a reason code. */
  readonly expect: string;
  /** The result at the gateway or the mesh; absent if no request was sent. */
  readonly got?: string;
  readonly status?: number;
  readonly agrees: boolean;
  /** Why no request was sent, or why there was no response. */
  readonly note?: string;
  /** The rule for which the two results differ. */
  readonly rule?: Rule;
}

/** All results of the gateway, or all results of the mesh. */
export interface Enforcer {
  readonly kind: 'gateway' | 'mesh';
  readonly address: string;
  readonly outcomes: readonly LiveOutcome[];
}

/** Parses `host:port`. The host may be an IP address in brackets. */
export function hostPort(text: string, what: string, port?: number) {
  const [, host, given] = /^([^\s:/?#[\]]+|\[[0-9A-Fa-f:.]+\])(?::(\d{1,5}))?$/.exec(text) ?? [];
  const number = given === undefined ? port : Number(given);
  if (host === undefined || number === undefined || number > 65535)
    throw new WrongUse(`${what} ${text}: write HOST:PORT`);
  return { address: host.replace(/^\[(.*)\]$/, '$1'), port: number };
}
