import { WATCH_MAX_AGE_S } from '../base/limits.ts';
import { type HealthReason, healthReasons, type Part } from './types.ts';

const warning = (reason: HealthReason): Part => ({ state: 'warning', reason, help: healthReasons[reason] });

/** Returns whether the image's watcher loads changes of the files. nginx serves what it has loaded in any case.
 * @param age seconds since the watcher's last turn
 * @param rejected why it has rejected the files that are mounted now */
export function changesPart(age: number, rejected: string | undefined): Part {
  if (age > WATCH_MAX_AGE_S) return warning('watcher_stopped');
  if (rejected === undefined) return { state: 'ok' };
  return { ...warning('change_rejected'), why: rejected.trim() };
}
