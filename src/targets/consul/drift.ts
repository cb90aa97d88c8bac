import type { Policy } from '../../policy/checked/types.ts';
import type { Rule } from '../../rules/types.ts';
import { objectDifferences } from '../kit/compare.ts';
import { ownerOf } from '../kit/owner.ts';
import type { Files, MeshTarget } from '../types.ts';
import { type ConsulEntry, consulEntries, keySetOf, planEntries } from './entries.ts';
import { consulBearing, neutralOf } from './others.ts';
import { entriesIn, entryOwner, entryTitle, isEmpty, type LiveEntry, nonCanonicalPathsIn } from './parse.ts';
import { serviceHost } from './project.ts';

/** Compares the patterns for paths that are not canonical, which are not read back as rules. */
function nonCanonicalPaths(own: readonly ConsulEntry[], live: readonly LiveEntry[]): readonly string[] {
  const found = new Map(live.map((it) => [entryTitle(it).toLowerCase(), it]));
  return own.flatMap((entry) => {
    const there = found.get(entryTitle(entry).toLowerCase());
    if (entry.Kind !== 'service-intentions' || there === undefined) return [];
    const theirs = nonCanonicalPathsIn(there);
    return [...nonCanonicalPathsIn(entry)].flatMap(([source, own]) => {
      const other = theirs.get(source);
      if (other === undefined || other === own) return [];
      return [`${entryTitle(entry)}: for ${source} it denies other paths as not canonical: ${other}, and not ${own}`];
    });
  });
}

/** The entries that another gateway wrote over rendered ones, by their title, with the difference. Consul has one entry
 * of each kind and name, so two policies cannot both have one for the same service. */
function takenBy(own: readonly ConsulEntry[], live: readonly LiveEntry[], owner: string): ReadonlyMap<string, string> {
  const titles = new Set(own.map((it) => entryTitle(it).toLowerCase()));
  return new Map(
    live.flatMap((it) => {
      const other = entryOwner(it);
      const title = entryTitle(it).toLowerCase();
      if (other === undefined || other === owner || !titles.has(title)) return [];
      const text = `${entryTitle(it)}: it belongs to the gateway ${other}, and Consul has one such entry for a service; let only one policy lead to the service through Consul`;
      return [[title, text]];
    }),
  );
}

/** How files or live entries differ from what meshgate renders from the policy, except for the content of intentions.
 * It reports entries that are missing, changed or left over, and entries of other tools that may change a decision. */
export const consulDrift: MeshTarget['drift'] = (policy, rules, options, files) => {
  const owner = ownerOf(policy);
  const plan = planEntries(policy, rules);
  const { assertion } = plan;
  const keys = assertion && keySetOf(policy, assertion, options);
  const own = consulEntries(policy, plan, keys);
  const isUnknown = assertion !== undefined && keys === undefined;
  const all = entriesIn(files).filter((it) => !(isUnknown && it.Kind === 'jwt-provider'));
  const taken = takenBy(own, all, owner);
  const live = all.filter((it) => !taken.has(entryTitle(it).toLowerCase()));
  const names = new Set(plan.intentions.map(({ Name }) => Name.toLowerCase()));
  const sources = new Set(plan.intentions.flatMap((it) => it.Sources.map(({ Name }) => Name.toLowerCase())));
  const others = 'other intentions and the default of the mesh decide which services pass';
  return [
    ...(isUnknown ? [`jwt-provider ${owner}: its keys are not known; give --assertion-jwks`] : []),
    ...taken.values(),
    ...objectDifferences<ConsulEntry, LiveEntry>(
      own.filter((it) => !taken.has(entryTitle(it).toLowerCase())),
      live,
      {
        title: entryTitle,
        neutral: neutralOf,
        isManaged: (it) => entryOwner(it) === owner,
        bearing: (it) => consulBearing(it, names, sources),
        isNothing: isEmpty,
        without: (it) => (it.Kind === 'service-intentions' ? others : undefined),
      },
    ),
    ...nonCanonicalPaths(own, live),
  ];
};

/** Returns for each service whether it has no rendered intentions, so that the default of the mesh decides. */
export function consulUnguarded(policy: Policy, _: readonly Rule[], files: Files) {
  const owner = ownerOf(policy);
  const own = entriesIn(files).filter((it) => it.Kind === 'service-intentions' && entryOwner(it) === owner);
  const there = new Set(own.map(({ Name }) => serviceHost(Name)));
  return (host: string): boolean => !there.has(host);
}
