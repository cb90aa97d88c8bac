import { composed, partsOf } from '../../base/composed-key.ts';
import { foreign } from '../../base/hostile-text.ts';
import { readStoredNames, type StoredNames, storedChanges, storedText } from '../../rules/table/stored.ts';
import { FLOOR, readReported, revocationKey } from '../../session/revocation/revocation.ts';
import { nginxOptions } from '../../targets/nginx/options.ts';
import { toContext } from '../../targets/nginx/render-context.ts';
import { renderedNames, storedNames } from '../../targets/nginx/signin/stored-names.ts';
import { WrongUse } from '../common/context.ts';
import { type Loaded, reasonOf, utf8 } from '../common/load.ts';
import { codeOf, type Runtime } from '../machine/runtime.ts';
import type { Finding } from './offers.ts';

const contextOf = ({ policy, rules }: Loaded) => toContext(policy, rules, nginxOptions({ dir: '/' }));

/** Returns the names of a policy under which gateways store something. */
export const storedNamesOf = (loaded: Loaded): StoredNames => storedNames(contextOf(loaded));

/** The state file of the revocations, as nginx writes it. */
type State = Readonly<Record<string, { readonly value: string }>>;

const stateDir = ({ env }: Runtime): string => env.MESHGATE_STATE ?? '/var/lib/meshgate';

const isState = (value: unknown): value is State =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  Object.values(value).every((it: { readonly value?: unknown } | null) => typeof it?.value === 'string');

const cannotRead = (path: string, why: string) =>
  new WrongUse(`cannot read the revocations of the gateway, ${path}: ${why}`);

/** The revocations of the gateway whose state is on this machine; undefined without such a gateway.
 * @throws WrongUse if the file cannot be read, because then it is unknown what is revoked */
function stateOf(runtime: Runtime, folder = stateDir(runtime)): State | undefined {
  const path = `${folder}/revoked.json`;
  let bytes: Uint8Array;
  try {
    bytes = runtime.read(path);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(codeOf(error) ?? '')) return undefined;
    throw cannotRead(path, reasonOf(error));
  }
  try {
    const value: unknown = JSON.parse(utf8(bytes) ?? '');
    if (isState(value)) return value;
  } catch {
    // Not JSON.
  }
  throw cannotRead(path, 'it is corrupt');
}

const PEOPLE = revocationKey('sub', '');

/** Counts the revocations of people that are in force and name one of these issuers. */
const peopleOf = (state: State, issuers: ReadonlySet<string>, now: number): number =>
  Object.entries(state).filter(([key, { value }]) => {
    if (!key.startsWith(PEOPLE) || readReported(value).until <= now) return false;
    return issuers.has(partsOf(key.slice(PEOPLE.length))[0] ?? '');
  }).length;

/** The beginnings of what revokes tokens and certificates, and not only sessions. */
const OF_TOKENS = [PEOPLE, revocationKey('kid', ''), revocationKey('jti', '')];

/** Returns why a gateway must not load a policy: the policy enforces no revocations, and its state has some that are in
 * force.
 * @param folder the gateway’s state */
export function openedBy(runtime: Runtime, loaded: Loaded, folder: string | undefined): string | undefined {
  if (storedNamesOf(loaded).one.sessions !== undefined) return undefined;
  const reported = Object.entries(stateOf(runtime, folder) ?? {}).flatMap(([key, { value }]) =>
    key === FLOOR || OF_TOKENS.some((beginning) => key.startsWith(beginning)) ? [readReported(value).until] : [],
  );
  const until = reported.filter((end) => end > runtime.now());
  if (until.length === 0) return undefined;
  const last = new Date(Math.min(Math.max(...until), 8e12) * 1000).toISOString().slice(0, 10);
  return `no host accepts sessions, so ${until.length} revocations of people, keys and tokens would end, which are in force until ${last}: keep a host that accepts sessions, or stop the gateway and remove ${folder ?? stateDir(runtime)}/revoked.json`;
}

/** Returns what the policy does to data of the gateway whose state is on this machine; empty without such a gateway. */
export function storedFindings(runtime: Runtime, loaded: Loaded): readonly Finding[] {
  const state = stateOf(runtime);
  const reported = state?.[composed('names')]?.value;
  if (state === undefined || reported === undefined) return [];
  const old = readStoredNames(reported);
  if (old === undefined) throw cannotRead(`${stateDir(runtime)}/revoked.json`, 'its names are corrupt');
  const fresh = renderedNames(contextOf(loaded));
  const kept = new Set(Object.values(fresh.providers).flatMap(([issuers]) => issuers));
  const gone = Object.values(old.providers).flatMap(([issuers]) => issuers.filter((issuer) => !kept.has(issuer)));
  const count = peopleOf(state, new Set(gone), runtime.now());
  return [
    ...storedChanges(old, fresh).map((change) => ({ text: `stored: ${foreign(storedText(change), 2000)}` })),
    ...(count === 0
      ? []
      : [
          {
            text: `stored: ${count} revocations of people name ${foreign(gone.join(', '), 500)}, which no provider of this policy has`,
          },
        ]),
  ];
}
