import { providerKind } from '../providers/index.ts';
import { asObject, objectIn } from './json.ts';
import type { Claims } from './types.ts';

/** Whether a token leaves out groups of its caller. Entra ID says so in a claim (OpenID Connect Core section 5.6.2). */
export function leavesGroupsOut(claims: Claims, kind: string): boolean {
  const { leftOut, groups = '' } = providerKind(kind) ?? {};
  if (leftOut === undefined || claims[groups] !== undefined) return false;
  const names = asObject(claims[leftOut]);
  return names !== undefined && Object.hasOwn(names, groups);
}

/** Returns the claims with those of the policy's groups that the provider has confirmed. */
export function withGroups(claims: Claims, kind: string, held: readonly string[]): Claims {
  const { leftOut = '', groups = '' } = providerKind(kind) ?? {};
  const { [groups]: _, ...others } = asObject(claims[leftOut]) ?? {};
  return { ...claims, [leftOut]: others, [groups]: held };
}

/** Whether a value is an object id of Entra ID, which is safe in a path. */
export const isObjectId = (value: unknown): value is string => typeof value === 'string' && /^[\w-]{1,64}$/.test(value);

/** Reads the provider's answer `{ "value": [ids] }`: which of the groups a person is in, if any. */
export function readHeld(text: string, requested: readonly string[]): readonly string[] | undefined {
  const value = objectIn(text)?.value;
  if (!Array.isArray(value) || !value.every((id) => typeof id === 'string')) return undefined;
  return requested.filter((id) => value.includes(id));
}
