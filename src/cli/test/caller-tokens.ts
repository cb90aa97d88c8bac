import type { Policy, PolicyTest } from '../../policy/checked/types.ts';
import { WrongUse } from '../common/context.ts';
import { readText } from '../common/load.ts';
import { Offline } from '../decide/offline.ts';
import type { Runtime } from '../machine/runtime.ts';

/** The name in `--token` for a caller that has no role. */
const NO_ROLE = 'authenticated';

/** Parses the value of `--token`: a test or roles, and a file. */
export function parseTokenFlag(text: string) {
  const [, whom, file] = /^([^=]+)=(.+)$/.exec(text) ?? [];
  if (whom === undefined || file === undefined)
    throw new Error('write ROLE,ROLE=FILE, authenticated=FILE or tests[N]=FILE');
  return { whom, file };
}

const sorted = (roles: readonly string[]): string => [...roles].sort().join(',') || NO_ROLE;

/** The tokens of the command line, each with its roles. */
export class LiveTokens {
  readonly #byWhom = new Map<string, string>();

  /** Reads the tokens from their files. Wrong use: the policy gives a token other roles than the flag says. */
  constructor(runtime: Runtime, policy: Policy, flags: readonly ReturnType<typeof parseTokenFlag>[]) {
    const offline = new Offline(policy, runtime.now());
    for (const { whom, file } of flags) {
      const text = readText(runtime, file, 'the token')
        .trim()
        .replace(/^(?:authorization: *)?bearer +/i, '');
      const own = /^tests\[\d+\]$/.test(whom);
      const name = own ? whom : sorted(whom === NO_ROLE ? [] : whom.split(','));
      if (!own) checkRoles(offline, text, name, `--token ${whom}=${file}`);
      this.#byWhom.set(name, text);
    }
  }

  /** Returns the token for a test: the test's own token, or else a token with the test's roles. */
  of({ as }: PolicyTest, index: number): string | undefined {
    const person = as.kind === 'roles' && as.agent === undefined ? sorted(as.roles) : undefined;
    return this.#byWhom.get(`tests[${index}]`) ?? (person === undefined ? undefined : this.#byWhom.get(person));
  }

  /** Says how to give the missing token. */
  static missing({ as }: PolicyTest, index: number): string {
    const isPerson = as.kind === 'roles' && as.agent === undefined;
    return `no token: add --token ${isPerson ? sorted(as.roles) : `tests[${index}]`}=FILE`;
  }
}

function checkRoles(offline: Offline, text: string, wanted: string, flag: string): void {
  const claimed = offline.anywhere((providers, audiences) => offline.ofToken(text, providers, audiences));
  if (!claimed.ok) throw new WrongUse(`${flag}: the policy refuses this token: ${claimed.reason}`);
  const { agent } = claimed.value.caller;
  if (agent !== undefined) {
    throw new WrongUse(`${flag}: by the policy this is a token of agent ${agent}; name the test for it: tests[N]=FILE`);
  }
  const roles = sorted(claimed.value.caller.roles);
  if (roles !== wanted) throw new WrongUse(`${flag}: by the policy the roles of this token are ${roles}`);
}
