import { readAccessLog, readAppJson, readText } from './app-lines.ts';
import { readEnvoyJson, readEnvoyText, readLinkerdJson, readLinkerdText } from './envoy.ts';
import { readGateway } from './gateway.ts';
import { type Flat, PLACES, type Place, parseFlat, type Reading } from './hop.ts';

/** A line without what a collector or a container engine wrote around it. */
export interface Line {
  readonly text: string;
  /** The place that the collector wrote beside the line. */
  readonly place?: Place;
}

const placeOf = (text: unknown): { readonly place?: Place } =>
  PLACES.includes(text as Place) ? { place: text as Place } : {};

interface OtlpValue {
  readonly stringValue?: string;
}

interface OtlpAttributes {
  readonly attributes?: readonly { readonly key: string; readonly value?: OtlpValue }[];
}

/** The parts of OpenTelemetry's log data (OTLP JSON) that are read. */
interface Otlp {
  readonly resourceLogs: readonly {
    readonly resource?: OtlpAttributes;
    readonly scopeLogs?: readonly {
      readonly logRecords?: readonly (OtlpAttributes & { readonly body?: OtlpValue })[];
    }[];
  }[];
}

/** The attribute, and the member, with the place of a line's log. */
const PLACE = 'meshgate.hop';

const placeIn = (all: OtlpAttributes | undefined) =>
  placeOf(all?.attributes?.find(({ key }) => key === PLACE)?.value?.stringValue);

const otlpLines = ({ resourceLogs }: Otlp): Line[] =>
  resourceLogs.flatMap(({ resource, scopeLogs = [] }) =>
    scopeLogs.flatMap(({ logRecords = [] }) =>
      logRecords.map((record) => ({
        text: String(record.body?.stringValue ?? ''),
        ...placeIn(resource),
        ...placeIn(record),
      })),
    ),
  );

/** The names in front of a line: of a pod (`kubectl logs --prefix`) or of a service (`docker compose logs`), and the
 * time and stream that a container runtime writes (CRI). */
const PREFIX = /^(?:\[pod\/[^\]]*\] |[\w.-]+ +\| ?|\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d) std(?:out|err) [FP] )/;

/** Returns the lines in a line of a file. A line of the OpenTelemetry collector's file exporter has several. Other lines
 * have at most one, within the JSON of rsyslog or Docker, or behind a prefix.  */
export function linesIn(text: string): readonly Line[] {
  const own = text.replace(PREFIX, '').replace(/\r$/, '');
  if (!own.startsWith('{')) return [{ text: own }];
  try {
    if (own.startsWith('{"resourceLogs":')) return otlpLines(JSON.parse(own) as Otlp);
    if (own.startsWith(`{"${PLACE}":`) || own.startsWith('{"log":')) {
      const { line, log, [PLACE]: place } = JSON.parse(own) as Readonly<Record<string, unknown>>;
      const inner = line ?? log;
      if (typeof inner === 'string') return [{ text: inner.replace(/\n$/, ''), ...placeOf(place) }];
    }
  } catch {
    // A line that is cut, or that only looks like one of these.
  }
  return [{ text: own }];
}

const jsonFormats: readonly ((flat: Flat) => Reading | undefined)[] = [readGateway, readLinkerdJson, readEnvoyJson];
const textFormats: readonly ((line: string) => Reading | undefined)[] = [readEnvoyText, readLinkerdText, readAccessLog];

function first<T>(all: readonly ((from: T) => Reading | undefined)[], from: T): Reading | undefined {
  for (const read of all) {
    const found = read(from);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The bounds of times and durations, in milliseconds. Dates cannot be written far beyond them. */
const MOST_TIME = 8e15;
const MOST_DURATION = 1e13;

/** Removes a time or a duration that no request has. */
function possible({ time, duration, ...rest }: Reading): Reading {
  return {
    ...rest,
    ...(time !== undefined && Math.abs(time) <= MOST_TIME && { time }),
    ...(duration !== undefined && duration >= 0 && duration <= MOST_DURATION && { duration }),
  };
}

/** Reads a line in the format that it has. */
export function readLine(text: string): Reading {
  const flat = parseFlat(text);
  return possible(
    (flat === undefined ? first(textFormats, text) : (first(jsonFormats, flat) ?? readAppJson(flat))) ?? readText(text),
  );
}
