import { isDeepStrictEqual } from 'node:util';
import { storedCases } from '../../harness/cases.ts';
import { seeds } from '../../harness/seeds.ts';
import type { Mutant } from './mutants.ts';
import type { Cell } from './types.ts';

/** Whether all mutants are hunted: `MESHGATE_HUNT=all`. */
export const huntsAll = process.env.MESHGATE_HUNT === 'all';

/** The seed of the hunts, which is stored, so that every run tries the same mutants; `make fuzz` uses fresh ones. */
export const searchSeed = seeds.hunts;

/** A number derived from a text (FNV-1a, 32 bits). */
function drawn(text: string): number {
  let hash = 0x811c9dc5;
  for (const char of text) hash = Math.imul(hash ^ (char.codePointAt(0) as number), 0x01000193) >>> 0;
  // The last bits of a product are not random enough.
  return (hash >>> 16) ^ (hash & 0xffff);
}

/**
 * Distributes forms among groups of mutants: each form goes to one of the groups that have it, drawn by the seed.
 *
 * @param groups by name, the forms of their mutants
 * @returns whether a form went to a group; one that no group has is every group's
 */
export function shareOut(
  groups: ReadonlyMap<string, Iterable<string>>,
  seed: string,
): (group: string, form: string) => boolean {
  const having = new Map<string, string[]>();
  for (const [group, forms] of groups) {
    for (const form of new Set(forms)) having.set(form, [...(having.get(form) ?? []), group]);
  }
  return (group, form) => {
    const names = having.get(form) ?? [group];
    return names[drawn(`${seed} ${form}`) % names.length] === group;
  };
}

/**
 * A sample of mutants: one of each form. The same seed draws the same ones.
 *
 * @param formOf a mutant's field and change, whatever object of its kind it is in
 * @param has whether it is here that a form has to be tried; default: each one
 */
export function sample(
  mutants: readonly Mutant[],
  formOf: (mutant: Mutant) => string,
  seed: string,
  has: (form: string) => boolean = () => true,
): readonly Mutant[] {
  const forms = new Map<string, Mutant[]>();
  for (const mutant of mutants) {
    const form = formOf(mutant);
    forms.set(form, [...(forms.get(form) ?? []), mutant]);
  }
  return [...forms].flatMap(([form, own]) => (has(form) ? (own[drawn(`${seed} ${form}`) % own.length] ?? []) : []));
}

const stored = storedCases();

/** Whether `make fuzz` found that this mutant survives. */
const isStored = ({ object, path, change }: Mutant): boolean =>
  stored.some((one) => 'mutant' in one && isDeepStrictEqual(one.mutant, { object, path, change }));

/** The mutants that this run hunts: a {@link sample}, which is printed, or all. */
export function hunted(
  mutants: readonly Mutant[],
  formOf: (mutant: Mutant) => string,
  has?: (form: string) => boolean,
): readonly Mutant[] {
  if (huntsAll || mutants.length === 0) return mutants;
  const drawnOnes = new Set(sample(mutants, formOf, searchSeed, has));
  const some = mutants.filter((mutant) => drawnOnes.has(mutant) || isStored(mutant));
  console.log(`${some.length} of ${mutants.length} mutants are tried: MESHGATE_SEED=${searchSeed}`);
  return some;
}

/** Whether `make fuzz` found a wrong answer for this cell. */
const isStoredCell = ({ name }: Cell): boolean => stored.some((one) => 'cell' in one && one.cell === name);

/**
 * The cells of this run for a policy with many copies of a form: of each rule one that passes and one for each part
 * that is wrong; or all.
 */
export function requested(cells: readonly Cell[], seed = searchSeed, all = huntsAll): readonly Cell[] {
  if (all) return cells;
  const groups = new Map<string, Cell[]>();
  for (const cell of cells) {
    const name = `${cell.rule} ${cell.part ?? ''}`;
    groups.set(name, [...(groups.get(name) ?? []), cell]);
  }
  const firsts = new Set([...groups].map(([name, own]) => own[drawn(`${seed} ${name}`) % own.length]));
  return cells.filter((cell) => firsts.has(cell) || isStoredCell(cell));
}
