import type { Rendered } from './types.ts';

/** A text without the names in it: what of it is Istio's own stays. */
const plain = (text: string): string =>
  text.startsWith('request.auth.claims[') ? text : text.replace(/[\w~.-]+(\/[\w~.-]+)*/g, 'x');

function* formsIn(value: unknown, path: string): Generator<string> {
  if (typeof value === 'string') yield `${path} ${plain(value)}`;
  else if (typeof value !== 'object' || value === null) yield path;
  else if (Array.isArray(value)) for (const child of value) yield* formsIn(child, path);
  else for (const [key, child] of Object.entries(value)) yield* formsIn(child, `${path}/${key}`);
}

/**
 * The fields that objects have, and the forms of what stands in them, whatever the names: forty services are no other
 * form than two.
 */
export function formsOf(objects: readonly Rendered[]): ReadonlySet<string> {
  return new Set(
    objects.flatMap(({ value }) => {
      const { kind, spec } = value as { readonly kind: string; readonly spec: unknown };
      return [...formsIn(spec, kind)];
    }),
  );
}
