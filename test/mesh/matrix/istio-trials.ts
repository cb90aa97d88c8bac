import type { KubeObject } from '../lab/index.ts';
import { each } from './agree.ts';
import type { IstioSide, Part } from './istio.ts';
import type { Place } from './istio-mesh.ts';
import type { Answer, Cell, Mutable, OriginalTrial, Rendered, Trial, VersionTrial } from './types.ts';

/** Versions that API server and istiod check at once. */
const BATCH = 64;

/** Versions that one place has in turn before the original is put back. */
const ROUNDS = 4;

type Version = readonly Rendered[];
type Numbered = readonly [number: number, version: Version];

/** Splits a list into parts of this length. */
function chunks<T>(items: readonly T[], size: number): readonly (readonly T[])[] {
  return items.flatMap((_, i) => (i % size === 0 ? [items.slice(i, i + size)] : []));
}

/** Many versions of the objects of the ingress, or of one workload, each in its own place. */
export class IstioTrials implements Mutable {
  readonly name: string;
  readonly objects: readonly Rendered[];
  readonly #side: IstioSide;
  readonly #part: Part;
  /** The trials, by lanes. */
  readonly #free: (readonly Place[])[];

  /** @param lanes how many trials there may be at once */
  constructor(side: IstioSide, part: Part, lanes: number) {
    const size = Math.floor(side.places.length / lanes);
    this.name = side.name;
    this.objects = part.objects;
    this.#side = side;
    this.#part = part;
    this.#free = Array.from({ length: lanes }, (_, lane) => side.places.slice(lane * size, (lane + 1) * size));
  }

  /** Cells of other workloads do not matter. */
  expected(cell: Cell): Answer | undefined {
    const { service = cell.service } = this.#part;
    return service === cell.service ? this.#side.expected(cell) : undefined;
  }

  ask(cell: Cell): Promise<Answer> {
    return this.#side.ask(cell);
  }

  async *trials(versions: readonly Version[]): AsyncGenerator<VersionTrial | OriginalTrial> {
    const places = this.#free.pop();
    if (places === undefined) throw new Error(`${this.name}: more trials at once than lanes`);
    try {
      for (const batch of chunks([...versions.entries()], BATCH)) yield* this.#batch(batch, places);
    } finally {
      this.#free.push(places);
    }
  }

  /** All versions are checked first: a rejected one needs no place. */
  async *#batch(versions: readonly Numbered[], places: readonly Place[]): AsyncGenerator<VersionTrial | OriginalTrial> {
    const refused = new Map<number, string>();
    await each(versions, async ([number, version]) => {
      const words = await this.#refusal(this.#changed(version)?.value, places[0]!);
      if (words !== undefined) refused.set(number, words);
    });
    for (const [version, rejected] of refused) yield { version, rejected };
    yield* this.#judgeOriginals(
      versions.filter(([number]) => refused.has(number)),
      places[0]!,
    );
    const rounds = chunks(
      versions.filter(([number]) => !refused.has(number)),
      places.length,
    );
    for (const some of chunks(rounds, ROUNDS)) yield* this.#rounds(some, places);
  }

  /** The originals of the objects that were rejected with a change: API server and istiod check them in the same
   * place. */
  async *#judgeOriginals(versions: readonly Numbered[], place: Place): AsyncGenerator<OriginalTrial> {
    const nameOf = ([, version]: Numbered) => this.#changed(version)?.name;
    for (const name of new Set(versions.map(nameOf))) {
      const originalOf = versions.filter((it) => nameOf(it) === name).map(([number]) => number);
      const rejected = await this.#refusal(this.objects.find((it) => it.name === name)?.value, place);
      yield rejected === undefined ? { originalOf, ask: () => 'not askable' } : { originalOf, rejected };
    }
  }

  /** Puts versions into the places, round after round, and at the end the original. */
  async *#rounds(
    rounds: readonly (readonly Numbered[])[],
    places: readonly Place[],
  ): AsyncGenerator<VersionTrial | OriginalTrial> {
    for (const round of rounds) {
      for await (const [i, trial] of this.#held(
        round.map(([, version]) => version),
        places,
      )) {
        yield { ...trial, version: round[i]![0] };
      }
    }
    const used = places.slice(0, rounds[0]?.length ?? 0);
    for await (const [i, trial] of this.#held(
      used.map(() => this.objects),
      used,
    )) {
      yield { ...trial, originalOf: rounds.flatMap((round) => round[i]?.[0] ?? []) };
    }
  }

  /** As many versions as there are places. */
  async *#held(versions: readonly Version[], places: readonly Place[]): AsyncGenerator<readonly [number, Trial]> {
    const held = await this.#side.mesh.hold(versions.map((it, i) => this.#in(places[i]!, it)));
    for (const [i, stable] of held.entries()) {
      if ('refused' in stable) yield [i, { rejected: stable.refused }];
      else for await (const trial of this.#trial(places[i]!, stable.mark)) yield [i, trial];
    }
  }

  #in(place: Place, version: Version) {
    const objects = version.map(({ value }) => value as KubeObject);
    return { place, instead: this.#part.namespace, objects };
  }

  #changed(version: Version): Rendered | undefined {
    return version.find((it) => !this.objects.includes(it));
  }

  /** Why an object is rejected in a place. */
  async #refusal(object: unknown, place: Place): Promise<string | undefined> {
    if (object === undefined) return undefined;
    return this.#side.mesh.refusal(object as KubeObject, { place, instead: this.#part.namespace });
  }

  async *#trial(place: Place, mark: string): AsyncGenerator<Trial> {
    const connection = this.#side.connection(this.#part, place, mark);
    yield { ask: (cell) => this.#side.askBy(connection, cell) };
    connection.close();
  }
}
