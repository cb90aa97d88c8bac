import * as z from 'zod';
import { hints } from '../forms/hints.ts';
import { key, optional, record, strict, togethers } from '../forms/mapping.ts';
import * as s from '../forms/scalars.ts';

const source = z
  .union([
    z.enum(['subject', 'email', 'name', 'groups', 'roles', 'provider', 'actor']),
    strict(
      {
        claim: optional('destination', s.claimPath, 'The claim whose value services receive.'),
        first_role: key(
          'destination',
          z
            .record(z.string(), s.headerValue)
            .register(hints, {
              what: 'a mapping of roles',
              write: '{ admin: Admin, editor: Editor }',
              keysRefer: 'role',
            })
            .register(togethers, { notEmpty: 'no role in it; write { admin: Admin }' })
            .meta({ description: 'The value for each role; the first role that the caller has decides.' })
            .optional(),
        ),
        else: optional(
          { decides: 'destination', excludes: { claim: 'no effect together with claim; remove it' } },
          s.headerValue,
          'The value for callers without any of these roles.',
        ),
      },
      {
        oneOf: {
          what: 'header',
          keys: ['claim', 'first_role'],
          none: 'this header has no source; write claim: NAME or first_role: { admin: Admin }',
        },
      },
    ).transform(({ claim, first_role, else: otherwise }): { readonly claim: string } | RoleSource => {
      if (claim !== undefined) return { claim };
      return { firstRole: Object.entries(first_role ?? {}), ...(otherwise !== undefined && { else: otherwise }) };
    }),
    z.null(),
  ])
  .register(hints, {
    what: 'the source of a header',
    write: 'subject, { claim: department }, { first_role: … } or null',
    entire: true,
    fix: (value) =>
      typeof value === 'string' && /^[A-Za-z]\w{2,40}$/.test(value)
        ? `{ claim: ${value} } for that claim, or one of subject, email, name, groups, roles, provider, actor`
        : undefined,
  })
  .describe('The source of the value; null removes a header of the host or the gateway.');

interface RoleSource {
  readonly firstRole: readonly (readonly [role: string, value: string])[];
  readonly else?: string;
}

export const headers = record(
  source,
  /^[A-Za-z][A-Za-z0-9-]*$/,
  { what: 'a mapping of headers', write: '{ X-Forwarded-User: subject }' },
  'Identity headers that services receive, by name.',
);

export type HeaderSource = NonNullable<z.output<typeof source>>;

/** Identity headers by name. The names are spelled as in the policy and have a fixed order. */
export type Headers = Readonly<Record<string, HeaderSource>>;

export type DeclaredHeaders = z.output<typeof headers>;

/** The headers that services receive if the policy has no `headers`. */
export const DEFAULT_HEADERS: DeclaredHeaders = {
  'X-Forwarded-User': 'subject',
  'X-Forwarded-Email': 'email',
  'X-Forwarded-Roles': 'roles',
};

/** Merges headers of the policy, the host and the route. An inner header replaces an outer one; null removes it. */
export function mergeHeaders(...layers: readonly (DeclaredHeaders | undefined)[]): Headers {
  const merged = new Map<string, readonly [string, HeaderSource]>();
  for (const layer of layers) {
    for (const [name, declared] of Object.entries(layer ?? {})) {
      const key = name.toLowerCase();
      if (declared === null) merged.delete(key);
      else merged.set(key, [merged.get(key)?.[0] ?? name, declared]);
    }
  }
  return Object.fromEntries(merged.values());
}
