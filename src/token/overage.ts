import { providerKind } from '../providers/index.ts';
import { asObject, objectIn } from './json.ts';
import type { Claims } from './types.ts';

/** Whether a caller has groups that the token leaves out. Entra ID then names the claim in another one (OpenID Connect
 * Core section 5.6.2). */
export function leavesGroupsOut(claims: Claims, kind: string): boolean {
  const { leftOut, groups = '' } = providerKind(kind) ?? {};
  if (leftOut === undefined || claims[groups] !== undefined) return false;
  const names = asObject(claims[leftOut]);
  return names !== undefined && Object.hasOwn(names, groups);
}

/** The claims with the groups that the provider confirmed, of those that the policy names. */
export function withGroups(claims: Claims, kind: string, held: readonly string[]): Claims {
  const { leftOut = '', groups = '' } = providerKind(kind) ?? {};
  const { [groups]: _, ...others } = asObject(claims[leftOut]) ?? {};
  return { ...claims, [leftOut]: others, [groups]: held };
}

/** An object id of Entra ID, safe in a path. */
export const isObjectId = (value: unknown): value is string => typeof value === 'string' && /^[\w-]{1,64}$/.test(value);

/** Reads which of the requested groups a person is in: `{ "value": [ids] }`; undefined for any other text. */
export function readHeld(text: string, asked: readonly string[]): readonly string[] | undefined {
  const value = objectIn(text)?.value;
  if (!Array.isArray(value) || !value.every((id) => typeof id === 'string')) return undefined;
  return asked.filter((id) => value.includes(id));
}
