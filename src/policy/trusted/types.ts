/** Request headers that one application, proxy or framework trusts, because a proxy in front of it is expected to set
 * them. */
export interface Trusted {
  /** The software that trusts them. */
  readonly by: string;
  /** The documentation that names them. */
  readonly source: string;
  readonly names: readonly string[];
  /** The pattern of a family whose names an administrator chooses; `names` are those in the documentation. */
  readonly family?: string;
}

export const trusted = (by: string, source: string, names: string, family?: string): Trusted =>
  Object.freeze({ by, source, names: Object.freeze(names.split(/\s+/)), ...(family !== undefined && { family }) });
