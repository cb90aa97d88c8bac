import type { KubeObject } from '../lab/index.ts';
import { each } from './agree.ts';
import type { IstioSide, Part } from './istio.ts';
import type { Place } from './istio-mesh.ts';
import type { Answer, Cell, Mutable, Rendered, Trial } from './types.ts';

/** Versions that API server and istiod judge at once. */
const BATCH = 64;

type Version = readonly Rendered[];

/** Many versions of the objects of the ingress, or of one workload, each in a place of its own. */
export class IstioTrials implements Mutable {
  readonly name: string;
  readonly objects: readonly Rendered[];
  readonly #side: IstioSide;
  readonly #part: Part;
  /** Of trials, by lanes. */
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

  /** Nothing to cells of other workloads. */
  expected(cell: Cell): Answer | undefined {
    const { service = cell.service } = this.#part;
    return service === cell.service ? this.#side.expected(cell) : undefined;
  }

  ask(cell: Cell): Promise<Answer> {
    return this.#side.ask(cell);
  }

  async *trials(versions: readonly Version[]): AsyncGenerator<Trial> {
    const places = this.#free.pop();
    if (places === undefined) throw new Error(`${this.name}: more trials at once than lanes`);
    try {
      for (let at = 0; at < versions.length; at += BATCH) yield* this.#batch(versions.slice(at, at + BATCH), places);
    } finally {
      this.#free.push(places);
    }
  }

  /** Has all judged first: what is refused takes no place. */
  async *#batch(versions: readonly Version[], places: readonly Place[]): AsyncGenerator<Trial> {
    const refused = new Map<Version, string>();
    await each(versions, async (version) => {
      const words = await this.#refusal(version, places[0]!);
      if (words !== undefined) refused.set(version, words);
    });
    let waiting = versions.filter((version) => !refused.has(version));
    const held = new Map<Version, { readonly place: Place; readonly words: string | undefined }>();
    for (const version of versions) {
      if (!refused.has(version) && !held.has(version)) {
        const next = waiting.slice(0, places.length);
        waiting = waiting.slice(places.length);
        const words = await this.#side.mesh.hold(next.map((it, i) => this.#in(places[i]!, it)));
        for (const [i, it] of next.entries()) held.set(it, { place: places[i]!, words: words[i] });
      }
      const rejected = refused.get(version) ?? held.get(version)?.words;
      if (rejected === undefined) yield* this.#trial(held.get(version)!.place);
      else yield { rejected };
    }
  }

  #in(place: Place, version: Version) {
    const objects = version.map(({ value }) => value as KubeObject);
    return { place, instead: this.#part.namespace, objects };
  }

  /** Why what was changed is not taken. */
  async #refusal(version: Version, place: Place): Promise<string | undefined> {
    const changed = version.find((it) => !this.objects.includes(it));
    if (changed === undefined) return undefined;
    return this.#side.mesh.refusal(changed.value as KubeObject, { place, instead: this.#part.namespace });
  }

  async *#trial(place: Place): AsyncGenerator<Trial> {
    const road = this.#side.road(this.#part, place);
    yield { ask: (cell) => this.#side.askBy(road, cell) };
    road.close();
  }
}
