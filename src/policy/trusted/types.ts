/** Request headers that one application, proxy or framework trusts, because it expects that a proxy in front of it sets
 * them. */
export interface Trusted {
  /** The software that trusts the headers. */
  readonly by: string;
  /** The documentation that names the headers. */
  readonly source: string;
  readonly names: readonly string[];
  /** If an administrator chooses the names, the pattern of the names. `names` then contains those in the
   * documentation. */
  readonly family?: string;
}

export const trusted = (by: string, source: string, names: string, family?: string): Trusted =>
  Object.freeze({ by, source, names: Object.freeze(names.split(/\s+/)), ...(family !== undefined && { family }) });
