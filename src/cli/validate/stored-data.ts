import { composed, partsOf } from '../../base/composed-key.ts';
import { type StoredNames, storedChanges, storedText } from '../../rules/table/stored.ts';
import { readSaid, revocationKey } from '../../session/revocation/revocation.ts';
import { nginxOptions } from '../../targets/nginx/options.ts';
import { toScene } from '../../targets/nginx/scene.ts';
import { storedNames } from '../../targets/nginx/signin/stored-names.ts';
import { foreign } from '../common/hostile-text.ts';
import { type Loaded, utf8 } from '../common/load.ts';
import type { Runtime } from '../machine/runtime.ts';
import type { Finding } from './offers.ts';

/** Returns the names of a policy under which gateways store something. */
export const storedNamesOf = ({ policy, rules }: Loaded): StoredNames =>
  storedNames(toScene(policy, rules, nginxOptions({ dir: '/' })));

/** The state file of the revocations, as nginx writes it. */
type State = Readonly<Record<string, { readonly value: string }>>;

function stateOf(runtime: Runtime): State | undefined {
  const path = `${runtime.env.MESHGATE_STATE ?? '/var/lib/meshgate'}/revoked.json`;
  try {
    return JSON.parse(utf8(runtime.read(path)) ?? '') as State;
  } catch {
    return undefined;
  }
}

const PEOPLE = revocationKey('sub', '');

/** Counts the revocations of people that are in force and name one of these issuers. */
const peopleOf = (state: State, issuers: ReadonlySet<string>, now: number): number =>
  Object.entries(state).filter(([key, { value }]) => {
    if (!key.startsWith(PEOPLE) || readSaid(value).until <= now) return false;
    return issuers.has(partsOf(key.slice(PEOPLE.length))[0] ?? '');
  }).length;

/** Returns what the policy does to data of the gateway whose state is on this machine; empty without such a gateway. */
export function storedFindings(runtime: Runtime, loaded: Loaded): readonly Finding[] {
  const state = stateOf(runtime);
  const said = state?.[composed('names')]?.value;
  if (state === undefined || said === undefined) return [];
  const old = JSON.parse(said) as StoredNames;
  const fresh = storedNamesOf(loaded);
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
