import { foreign } from '../base/hostile-text.ts';
import { CERTIFICATE_PROVIDER } from '../policy/forms/reserved-names.ts';
import { REVOKE_FOLDER } from '../session/limits.ts';
import { revocation } from '../session/revocation/new-revocation.ts';
import { ofAny } from '../session/revocation/revocation.ts';
import type { Revocation } from '../session/revocation/store.ts';
import { command, type FlagsOf, flag, NO, toggle, WrongUse, YES } from './common/context.ts';
import { reasonOf, utf8 } from './common/load.ts';
import { codeOf, type Runtime } from './machine/runtime.ts';

const flags = {
  subject: flag('PROVIDER/SUBJECT', 'All sessions and tokens of a person from before now'),
  sid: flag('ID', 'One session, by its id'),
  kid: flag('ID', 'Everything that a session key sealed, or a provider’s key signed'),
  jti: flag('ID', 'One token, by its "jti"'),
  cut: toggle('Reload nginx, so that open WebSockets and streams end'),
  stateDir: flag('DIR', 'Folder of the gateway’s state (default $MESHGATE_STATE, /var/lib/meshgate)'),
  pidFile: {
    kind: 'parsed',
    parse: String,
    default: '/run/meshgate/nginx.pid',
    placeholder: 'FILE',
    brief: 'The pid of the nginx that --cut reloads',
  },
} as const;

/** Maximum time to wait for the gateway. A job of the gateway reads the folder each second. */
const WAIT_S = 10;
const LOOK_S = 0.1;

function subjectOf(text: string): readonly [provider: string, subject: string] {
  const slash = text.indexOf('/');
  if (slash < 1 || slash === text.length - 1) throw new WrongUse('--subject is PROVIDER/SUBJECT: okta/00u1a2b3');
  const [provider, subject] = [text.slice(0, slash), text.slice(slash + 1)];
  if (provider === CERTIFICATE_PROVIDER && !/^(dns:|spiffe:\/\/|x509:)./.test(subject)) {
    throw new WrongUse(
      'the subject of a certificate begins with dns:, spiffe:// or x509: certificate/dns:ci.example.com',
    );
  }
  return [provider, subject];
}

/** Rejects a name that cannot be meant as it stands. Names are compared whole: there are no patterns. */
function checkName(kind: string, text: string): void {
  if (text === '') throw new WrongUse(`--${kind} is empty`);
  if (/^[*.?%]+$/.test(text)) {
    const all =
      kind === 'jti'
        ? 'to reject all tokens of a person, give --subject'
        : 'to end all sessions, run: meshgate keys rotate --leaked';
    throw new WrongUse(`--${kind} ${text} is no name, and there are no patterns: give the whole id; ${all}`);
  }
  if (/\s/.test(text)) throw new WrongUse(`--${kind} contains white space: give the whole id alone`);
}

/** Returns the names of a key. A key id that looks like the SHA-256 of a certificate has a second spelling. */
function kidsOf(text: string): readonly string[] {
  const digits = text.replaceAll(':', '');
  return /^[0-9a-f]{64}$/i.test(digits) ? [text, Buffer.from(digits, 'hex').toString('base64url')] : [text];
}

/** What a file asks for. A person is named as in the log, because only the gateway knows the provider's issuer. */
type Requested = Omit<Revocation, 'value'> & {
  readonly value?: string;
  readonly provider?: string;
  readonly subject?: string;
};

/** Returns the revocations that the flags describe. The gateway checks the provider's name later. */
function requested({ subject, sid, kid, jti }: FlagsOf<typeof flags>, now: number): readonly Requested[] {
  const given: [Revocation['kind'], readonly string[]][] = [];
  const of = subject === undefined ? undefined : subjectOf(subject);
  if (of !== undefined) given.push(['sub', ['']]);
  for (const [kind, value] of Object.entries({ sid, kid, jti })) {
    if (value !== undefined) checkName(kind, value);
    const names = value === undefined ? [] : kind === 'kid' ? kidsOf(value) : [value];
    if (names.length > 0) given.push([kind as Revocation['kind'], names.map(ofAny)]);
  }
  const [first] = given;
  if (first === undefined || given.length > 1) throw new WrongUse('give one of --subject, --sid, --kid and --jti');
  const [kind, names] = first;
  return names.map((name) => {
    const { value, ...reported } = revocation(kind, name, now);
    return of === undefined ? { ...reported, value } : { ...reported, provider: of[0], subject: of[1] };
  });
}

function isThere(runtime: Runtime, path: string): boolean {
  try {
    runtime.read(path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw new WrongUse(`${path}: ${reasonOf(error)}`);
  }
}

function cut(runtime: Runtime, pidFile: string): number {
  const problem = runtime.reload(pidFile);
  if (problem !== undefined) {
    runtime.err(`open connections are not cut: ${problem}; send nginx's master SIGHUP\n`);
    return NO;
  }
  runtime.err('nginx reloads: all open connections, also of other people, end within its worker_shutdown_timeout\n');
  return YES;
}

/** Writes a file for the gateway's job and waits until the gateway accepts it. Returns the reason if it does not. */
async function lay(runtime: Runtime, folder: string, what: Requested): Promise<string | undefined> {
  const name = `${what.kind}-${Math.floor(runtime.now() * 1000)}-${Math.random().toString(36).slice(2, 10)}.json`;
  const path = `${folder}/${name}`;
  try {
    runtime.write(folder, name, `${JSON.stringify(what)}\n`);
  } catch (error) {
    throw new WrongUse(`${path}: ${reasonOf(error)}`);
  }
  const refused = `${path}.refused`;
  for (const until = runtime.now() + WAIT_S; runtime.now() < until; await runtime.sleep(LOOK_S)) {
    if (isThere(runtime, path)) continue;
    if (!isThere(runtime, refused)) return undefined;
    return `refused: ${foreign(utf8(runtime.read(refused))?.trim() ?? '')}`;
  }
  return `not in force after ${WAIT_S} s. The revocation takes effect as soon as a gateway runs with this folder and, if the policy has an etcd, etcd answers. nginx's error log says more. To cancel the revocation, delete ${path}`;
}

/** `meshgate revoke`: writes a file that the gateway's job reads, and waits for the result. */
export const revokeCommand = command({
  brief: 'Revoke the credentials of a person, a session, a key or a token',
  text: 'Revokes credentials in the running gateway whose state is on this machine, and in all gateways that share its etcd. Waits until the revocation is in force. Requests, WebSockets and streams that passed before continue; --cut ends them.',
  exits: { 1: 'the gateway refused the revocation, or it is not in force yet' },
  examples: [
    'meshgate revoke --subject okta/00u1a2b3 --cut',
    'docker exec gateway meshgate revoke --sid hTJmAPsWx7_gz1b3nsEfAQ',
    'meshgate revoke --kid 2027-01-a --state-dir /srv/meshgate',
  ],
  flags,
  async run(runtime, flags) {
    const stateDir = flags.stateDir ?? runtime.env.MESHGATE_STATE ?? '/var/lib/meshgate';
    const folder = `${stateDir}/${REVOKE_FOLDER}`;
    const all = requested(flags, runtime.now());
    if (!runtime.isFolder(folder)) {
      throw new WrongUse(
        `${folder} does not exist: no gateway with sessions keeps its state in ${stateDir}. Give the folder with --state-dir; a policy without gateway.session has none`,
      );
    }
    for (const what of all) {
      const problem = await lay(runtime, folder, what);
      if (problem === undefined) continue;
      runtime.err(`${problem}\n`);
      return NO;
    }
    runtime.err('recorded: every credential with this name is rejected from now on\n');
    if (flags.jti?.includes('/'))
      runtime.err('note: no provider belongs in front of a "jti"; what was given is compared with the whole "jti"\n');
    return flags.cut ? cut(runtime, flags.pidFile) : YES;
  },
});
