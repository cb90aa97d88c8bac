/** The place of a log on the way of a request, in the order in which the request passes it. */
export const PLACES = ['gateway', 'mesh', 'app'] as const;
export type Place = (typeof PLACES)[number];

/** The ids of a line, in lower case. */
export interface Ids {
  /** The trace id of W3C Trace Context: 32 hexadecimal digits. */
  readonly trace?: string;
  /** The request id. An ingress can replace that of the gateway by a UUID of its own. */
  readonly request?: string;
}

/** What one line says about a request. All texts come from logs, so callers could have chosen them. */
export interface Reading {
  /** The name of the format, as people call it. */
  readonly format: string;
  /** The only place where this format exists; absent: the place that the command line says. */
  readonly place?: Place;
  readonly ids: Ids;
  /** When the request began, or when the message was written, in milliseconds since the epoch. */
  readonly time?: number;
  /** How far the time can be before the true time, in milliseconds: 1,000 for a log with whole seconds. */
  readonly precision: number;
  /** In milliseconds. */
  readonly duration?: number;
  readonly status?: number;
  readonly method?: string;
  readonly host?: string;
  /** Without a query. */
  readonly path?: string;
  /** The identity of the client's certificate, as this hop saw it. */
  readonly peer?: string;
  /** The rule that the line names. */
  readonly rule?: string;
  /** Why this hop itself refused the request. */
  readonly refusal?: string;
  /** What else the line says, by name. */
  readonly facts: Readonly<Record<string, string>>;
}

/** A line of a log about one request. */
export interface Hop extends Reading {
  readonly place: Place;
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
}

/** A JSON object with the names of nested members joined by dots. */
export type Flat = Readonly<Record<string, string | number | boolean>>;

const DEEPEST = 4;

function flattenInto(flat: Record<string, string | number | boolean>, value: object, prefix: string, depth: number) {
  for (const [key, member] of Object.entries(value)) {
    if (typeof member === 'string' || typeof member === 'number' || typeof member === 'boolean')
      flat[prefix + key] = member;
    else if (typeof member === 'object' && member !== null && !Array.isArray(member) && depth < DEEPEST)
      flattenInto(flat, member, `${prefix}${key}.`, depth + 1);
  }
}

/** Parses a line that is a JSON object. Arrays and `null` are left out; undefined if the line is no object. */
export function parseFlat(line: string): Flat | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    const flat: Record<string, string | number | boolean> = Object.create(null);
    flattenInto(flat, JSON.parse(line) as object, '', 1);
    return flat;
  } catch {
    return undefined;
  }
}

/** Returns the first member with one of these names that is not empty; undefined for `-`, which stands for no value. */
export function member(flat: Flat, ...names: readonly string[]): string | undefined {
  for (const name of names) {
    const value = flat[name];
    if (value !== undefined && value !== '' && value !== '-') return String(value);
  }
  return undefined;
}

/** Returns the first member with one of these names that is a number, or a text with a number. */
export function numberOf(flat: Flat, ...names: readonly string[]): number | undefined {
  const text = member(flat, ...names);
  const value = Number(text);
  return text === undefined || !Number.isFinite(value) ? undefined : value;
}

/** Leaves out the members that are undefined. */
export const defined = <T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(value).filter(([, it]) => it !== undefined)) as never;

/** Leaves out the query of a path or URL, which can contain secrets, and the origin of a URL. */
export function pathOnly(target: string | undefined): string | undefined {
  return target?.split(/[?#]/, 1)[0]?.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/]*/i, '') || undefined;
}

/** Parses a date; undefined if it is none. */
export function timeOf(text: string | undefined): number | undefined {
  const time = text === undefined ? Number.NaN : Date.parse(text);
  return Number.isNaN(time) ? undefined : time;
}

/** Whether a time is written with whole seconds. */
export const precisionOf = (text: string | undefined): number => (text !== undefined && /[.,]\d/.test(text) ? 1 : 1000);
