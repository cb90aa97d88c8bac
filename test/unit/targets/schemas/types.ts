/** Members of an object, and what each holds: `string`, `int`, `bool`, `duration`, `any`, `enum A|B`, a type, `[]T` or `map T`. */
export type Members = Readonly<Record<string, string>>;

/** All members that objects of a mesh may have, by its own definitions; see extract.ts. */
export interface Schema {
  /** Kind of object, or URL of the type of an extension → type. */
  readonly roots: Readonly<Record<string, string>>;
  readonly types: Readonly<Record<string, Members>>;
}
