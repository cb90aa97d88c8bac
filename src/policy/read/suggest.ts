import { distance } from 'fastest-levenshtein';
import { quote } from '../forms/path.ts';

/** Returns the candidate that was probably meant, if one is similar to the word. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  if (word.length > 80) return undefined;
  const lower = word.toLowerCase();
  let best: string | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) {
    const other = candidate.toLowerCase();
    const far = distance(lower, other);
    // Words are similar if at most about a third of the letters differ, or in short words at most two letters.
    const near = far <= Math.max(Math.min(2, other.length - 1), Math.floor(other.length / 3));
    const part = lower.length > 2 && other.length > 2 && (other.startsWith(lower) || lower.startsWith(other));
    if ((near || part) && far < least) [best, least] = [candidate, far];
  }
  return best;
}

/** Returns what to write instead of a word: the most similar candidate or, if there is none, all candidates. */
export function advise(word: string, candidates: readonly string[], none = 'remove it'): string {
  const guess = nearest(word, candidates);
  if (guess !== undefined) return `did you mean ${quote(guess)}?`;
  return candidates.length === 0 ? none : `write ${oneOf(candidates)}`;
}

/** `a`, or `one of a, b, c`. A long list ends with `…`. */
export function oneOf(words: readonly string[]): string {
  if (words.length === 1) return String(words[0]);
  const shown = words.slice(0, 24);
  return `one of ${shown.join(', ')}${words.length > shown.length ? ', …' : ''}`;
}
