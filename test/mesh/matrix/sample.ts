import type { Mutant } from './mutants.ts';

/** Whether all mutants are hunted: `MESHGATE_HUNT=all`. */
export const huntsAll = process.env.MESHGATE_HUNT === 'all';

/** The day, so that in time all are tried; `MESHGATE_HUNT_SEED` tries those of another day again. */
export const huntSeed = process.env.MESHGATE_HUNT_SEED || new Date().toISOString().slice(0, 10);

/** Of the mutants whose form is tried already, one in so many is tried as well. */
const ONE_IN = 8;

/** A number that a text leads to (FNV-1a, 32 bits). */
function drawn(text: string): number {
  let hash = 0x811c9dc5;
  for (const char of text) hash = Math.imul(hash ^ (char.codePointAt(0) as number), 0x01000193) >>> 0;
  // The last bits of a product say little.
  return (hash >>> 16) ^ (hash & 0xffff);
}

/**
 * A sample of mutants: of each form one, and of the others one in {@link ONE_IN}. The same seed draws the same ones.
 *
 * @param formOf a mutant's field and change, whatever object of its kind it is in
 */
export function sample(
  mutants: readonly Mutant[],
  formOf: (mutant: Mutant) => string,
  seed: string,
): readonly Mutant[] {
  const forms = new Map<string, Mutant[]>();
  for (const mutant of mutants) forms.set(formOf(mutant), [...(forms.get(formOf(mutant)) ?? []), mutant]);
  const firsts = new Set([...forms].map(([form, own]) => own[drawn(`${seed} ${form}`) % own.length]));
  const isDrawn = ({ object, path, change }: Mutant) => drawn(`${seed} ${object} ${path} ${change}`) % ONE_IN === 0;
  return mutants.filter((mutant) => firsts.has(mutant) || isDrawn(mutant));
}

/** The mutants that this run hunts: a {@link sample}, which is printed, or all. */
export function hunted(mutants: readonly Mutant[], formOf: (mutant: Mutant) => string): readonly Mutant[] {
  if (huntsAll || mutants.length === 0) return mutants;
  const some = sample(mutants, formOf, huntSeed);
  console.log(`${some.length} of ${mutants.length} mutants are tried: MESHGATE_HUNT_SEED=${huntSeed}`);
  return some;
}
