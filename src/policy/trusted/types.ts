/** Request headers that one application, proxy or framework trusts, because a proxy in front of it is expected to set them. */
export interface Trusted {
  /** What trusts them. */
  readonly by: string;
  /** The documentation that names them. */
  readonly source: string;
  readonly names: readonly string[];
  /** The names end in whatever an administrator chose: these are the members that the documentation names. */
  readonly family?: string;
}

/** One row. */
export const trusted = (by: string, source: string, names: string, family?: string): Trusted =>
  Object.freeze({ by, source, names: Object.freeze(names.split(/\s+/)), ...(family !== undefined && { family }) });
