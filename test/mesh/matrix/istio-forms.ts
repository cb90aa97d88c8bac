import type { Rendered } from './types.ts';

/** A text without the names in it: only Istio's own words stay. */
const plain = (text: string): string =>
  text.startsWith('request.auth.claims[') ? text : text.replace(/[\w~.-]+(\/[\w~.-]+)*/g, 'x');

function* formsIn(value: unknown, path: string): Generator<string> {
  if (typeof value === 'string') yield `${path} ${plain(value)}`;
  else if (typeof value !== 'object' || value === null) yield path;
  else if (Array.isArray(value)) for (const child of value) yield* formsIn(child, path);
  else for (const [key, child] of Object.entries(value)) yield* formsIn(child, `${path}/${key}`);
}

/**
 * The fields of objects, and the forms of their values, without names: forty services have the same forms as two.
 */
export function formsOf(objects: readonly Rendered[]): ReadonlySet<string> {
  return new Set(
    objects.flatMap(({ value }) => {
      const { kind, spec } = value as { readonly kind: string; readonly spec: unknown };
      return [...formsIn(spec, kind)];
    }),
  );
}
