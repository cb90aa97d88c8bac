import { grouped } from '../kit/rules.ts';
import { type ConsulPath, PLACES_IN_ONE } from './path-regex.ts';

/** A place and its decisions in their order. */
export interface Node<D> {
  readonly place: ConsulPath;
  readonly decisions: readonly D[];
}

/** A decision, and all places at which it is taken at once. */
interface Merged<D> {
  readonly places: readonly ConsulPath[];
  readonly decision: D;
}

/** A node, and where the merge stands. */
interface State<D> {
  readonly node: Node<D>;
  /** The nodes whose prefixes include this place. */
  readonly around: readonly State<D>[];
  readonly keys: readonly string[];
  /** The number of decisions that are placed. */
  placed: number;
  /** How many decisions of the places inside this one are not placed yet. */
  inside: number;
}

const nextOf = ({ keys, placed, inside }: State<unknown>): string | undefined =>
  inside === 0 ? keys[placed] : undefined;

/** A decision that can come next. */
interface Candidate {
  readonly isComplete: boolean;
  readonly depth: number;
  readonly count: number;
}

function isBetter(a: Candidate, b: Candidate): boolean {
  if (a.isComplete !== b.isComplete) return a.isComplete;
  return a.depth === b.depth ? a.count > b.count : a.depth > b.depth;
}

/** Orders the decisions of all places, so that the first match decides, and takes equal ones at once. Consul's proxies
 * write every earlier permission into each later one, so their size grows with the square of the number of permissions.
 * A decision comes after those before it at its place, and after all of the places inside.
 * @param keyOf a text that is equal for equal decisions */
export function merged<D>(nodes: readonly Node<D>[], keyOf: (decision: D) => string): readonly Merged<D>[] {
  const prefixes: State<D>[] = [];
  const states = nodes.map((node): State<D> => {
    const state = { node, around: [], keys: node.decisions.map(keyOf), placed: 0, inside: 0 };
    if (node.place.kind === 'prefix') prefixes.push(state);
    return state;
  });
  const all = states.map((state) => {
    const { place } = state.node;
    const around = prefixes.filter((it) => it !== state && place.value.startsWith(it.node.place.value));
    return Object.assign(state, { around });
  });
  for (const { around, keys } of all) for (const outer of around) outer.inside += keys.length;
  const left = new Map(
    [
      ...grouped(
        all.flatMap(({ keys }) => keys),
        (key) => key,
      ),
    ].map(([key, own]) => [key, own.length]),
  );
  const result: Merged<D>[] = [];
  for (;;) {
    const ready = grouped(
      all.filter((state) => nextOf(state) !== undefined),
      (state) => nextOf(state) as string,
    );
    const [first, ...others] = [...ready].map(([key, own]) => ({
      key,
      isComplete: own.length === left.get(key),
      depth: Math.max(...own.map(({ around }) => around.length)),
      count: own.length,
    }));
    if (first === undefined) return result;
    // A decision that can be taken everywhere at once comes first. Else the innermost one, because the places around it
    // wait for it.
    const { key } = others.reduce((a, b) => (isBetter(b, a) ? b : a), first);
    const places: ConsulPath[] = [];
    let decision: D | undefined;
    for (;;) {
      const own = all.filter((state) => nextOf(state) === key);
      if (own.length === 0) break;
      for (const state of own) {
        decision ??= state.node.decisions[state.placed];
        places.push(state.node.place);
        state.placed += 1;
        for (const outer of state.around) outer.inside -= 1;
      }
    }
    left.set(key, (left.get(key) ?? 0) - places.length);
    for (let at = 0; at < places.length; at += PLACES_IN_ONE) {
      result.push({ places: places.slice(at, at + PLACES_IN_ONE), decision: decision as D });
    }
  }
}
