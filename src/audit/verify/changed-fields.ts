/** A field of a line that differs from the sealed line. A value is undefined if the field is missing. */
export interface ChangedField {
  readonly field: string;
  readonly sealed?: unknown;
  readonly found?: unknown;
}

const LONGEST = 200;

function fieldsOf(line: Uint8Array | undefined): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(line ?? []).toString());
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

const short = (value: unknown): unknown =>
  typeof value === 'string' && value.length > LONGEST ? `${value.slice(0, LONGEST)}…` : value;

/** Returns the fields in which a line differs from the sealed one; none if one of them is not an object of JSON, or if only
 * spaces or the order of fields differ. */
export function changedFields(sealed: Uint8Array | undefined, found: Uint8Array | undefined): readonly ChangedField[] {
  const [before, after] = [fieldsOf(sealed), fieldsOf(found)];
  if (before === undefined || after === undefined) return [];
  return [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .filter((field) => JSON.stringify(before[field]) !== JSON.stringify(after[field]))
    .map((field) => ({
      field,
      ...(Object.hasOwn(before, field) && { sealed: short(before[field]) }),
      ...(Object.hasOwn(after, field) && { found: short(after[field]) }),
    }));
}
