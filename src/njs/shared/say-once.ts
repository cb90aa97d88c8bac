import { composed } from '../../base/composed-key.ts';
import { REPEAT_LINE_S } from '../../base/limits.ts';
import { locksDict } from './dicts.ts';

/** Logs a line at most once in a while, for all workers together. Without room in the zone, the line is left out.
 * @param about what the line is about: lines about the same thing share the pause */
export function sayOnce(about: string, level: number, line: string, seconds = REPEAT_LINE_S): void {
  if (locksDict().add(composed('said', about), 1, seconds * 1000)) ngx.log(level, `meshgate: ${line}`);
}
