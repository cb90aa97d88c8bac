import type { Truth } from './operator.ts';

type Value = string | number | boolean;

/** Compares two values. If their types differ, the result is unknown. */
const sameValue = (present: unknown, wanted: Value): Truth =>
  typeof present === typeof wanted ? present === wanted : undefined;

/** Whether a list contains the value. If it does not, and some elements have another type, the result is unknown. */
function listHolds(list: readonly unknown[], wanted: Value): Truth {
  if (list.includes(wanted)) return true;
  const type = typeof wanted;
  for (let i = 0; i < list.length; i++) if (typeof list[i] !== type) return undefined;
  return false;
}

/** Whether JavaScript reads other numbers as equal to this one. */
const isOneOfMany = (wanted: Value): boolean =>
  typeof wanted === 'number' && !(Math.abs(wanted) <= Number.MAX_SAFE_INTEGER);

export function claimIs(claim: unknown, wanted: Value): Truth {
  if (isOneOfMany(wanted)) return undefined;
  return Array.isArray(claim) ? listHolds(claim, wanted) : sameValue(claim, wanted);
}

/** Whether a list, or a text of words separated by spaces, contains the value. */
export function claimHas(claim: unknown, wanted: Value): Truth {
  if (isOneOfMany(wanted)) return undefined;
  const list = typeof claim === 'string' ? claim.split(' ').filter((word) => word !== '') : claim;
  return Array.isArray(list) ? listHolds(list, wanted) : undefined;
}
