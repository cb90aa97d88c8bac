/** Whether a role belongs to another team than a host. The services of the host do not learn that a caller has it. */
export type Hides = (role: string) => boolean;

/** Returns which roles of a caller the services of a host do not receive; undefined if they receive all.
 * @param teams the team of each role that a team defines
 * @param own the team in whose file the host is; absent: the host is in no team's file */
export function hidesOf(
  teams: Readonly<Record<string, string>> | undefined,
  own: string | undefined,
): Hides | undefined {
  const others = Object.entries(teams ?? {}).filter(([, team]) => team !== own);
  if (others.length === 0) return undefined;
  const hidden = new Set(others.map(([role]) => role));
  return (role) => hidden.has(role);
}

/** Returns the caller without the roles of other teams. */
export const shownTo = <C extends { readonly roles: readonly string[] }>(caller: C, hides: Hides | undefined): C =>
  hides === undefined || !caller.roles.some(hides)
    ? caller
    : { ...caller, roles: caller.roles.filter((role) => !hides(role)) };
