/** A value of the new policy. */
export type Value = string | number | boolean | null | readonly Value[] | { readonly [key: string]: Value };

export type Mapping = Record<string, Value>;

/** A rule of a route. */
export type Rule = string | { readonly [key: string]: Value };

/** A fact of a role. */
export type Fact = string | { readonly [key: string]: Value };

export interface DraftRoute {
  readonly service: string;
  readonly allow: readonly Rule[];
  readonly [key: string]: Value;
}

export interface DraftHost {
  readonly keys: Mapping;
  /** Routes by path, as policies write it. */
  readonly routes: Record<string, DraftRoute>;
}

/** The policy that a migration writes. */
export interface Draft {
  readonly gateway: Mapping;
  readonly providers: Record<string, Mapping>;
  readonly roles: Record<string, Fact>;
  readonly services: Record<string, Mapping>;
  readonly headers: Mapping;
  readonly hosts: Record<string, DraftHost>;
  /** Comments for people, by the place that they stand before: `providers.okta`, `hosts.wiki.example.com./*`. */
  readonly comments: Map<string, string[]>;
}

export const newDraft = (): Draft => ({
  gateway: {},
  providers: {},
  roles: {},
  services: {},
  headers: {},
  hosts: {},
  comments: new Map(),
});

/** Adds a comment before a place. */
export function comment(draft: Draft, place: string, text: string): void {
  const before = draft.comments.get(place) ?? [];
  if (!before.includes(text)) draft.comments.set(place, [...before, text]);
}

/** Returns a name that policies accept, and that is not in use. */
export function freeName(wanted: string, taken: object): string {
  const plain = wanted
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^[^a-z]+|-$/g, '')
    .slice(0, 50);
  const name = plain === '' ? 'app' : plain;
  for (let i = 1; ; i++) {
    const tried = i === 1 ? name : `${name}-${i}`;
    if (!Object.hasOwn(taken, tried)) return tried;
  }
}
