/**
 * The matrix at Istio's two layers: every cell of every policy, sent directly to an ingress and directly to the
 * workloads. Both must answer as `decide` does, as far as they see the request; and every change of what was rendered
 * must make one of them answer otherwise.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { testStage } from '../harness/index.ts';
import { describeWith } from '../harness/needs.ts';
import { lacksMesh } from './lab/index.ts';
import { agree, type Disagreement } from './matrix/agree.ts';
import { Assertions } from './matrix/assertions.ts';
import { cellsOf, unasked } from './matrix/cells.ts';
import { Equivalents } from './matrix/equivalents.ts';
import { IstioSide, type Part, partsOf } from './matrix/istio.ts';
import { ISTIO_ALTERNATIVES, istioEquivalents } from './matrix/istio-equivalents.ts';
import { formsOf } from './matrix/istio-forms.ts';
import { IstioMesh } from './matrix/istio-mesh.ts';
import { istioSubjects } from './matrix/istio-policies.ts';
import { IstioTrials } from './matrix/istio-trials.ts';
import { Likely } from './matrix/likely.ts';
import { type SearchResult, search } from './matrix/mutant-search.ts';
import { type Mutant, mutantsOf } from './matrix/mutants.ts';
import type { Subject } from './matrix/policies.ts';
import { lines, Report, survivorLines } from './matrix/report.ts';
import { huntsAll, searchSeed, shareOut, requested as toAsk, hunted as toSearch } from './matrix/sample.ts';
import type { Cell } from './matrix/types.ts';

const subjects = await istioSubjects('https://issuers:8443/acme');
const LAYERS = ['ingress', 'workload'] as const;
/**
 * Policies whose objects are changed, field by field: the others have no other forms. The sixteen hundred mutants of
 * Confluence are tried as well with MESHGATE_HUNT=all.
 */
const HUNTED = ['demo', 'agents', ...(huntsAll ? ['confluence'] : [])];
/** Part of a policy: the ingress, or the workload of a service. */
const groupOf = (name: string, service?: string) => `${name}: ${service ?? 'ingress'}`;
/** Number of ingresses, and of slots: this many versions are loaded at once. */
const COPIES = 6;
/** A mutant's field and change, without names, at the ingress or at a workload. */
function formsIn({ service }: Part, cells: readonly Cell[]): (mutant: Mutant) => string {
  const likely = new Likely(cells);
  return (mutant) => `${service === undefined ? 'ingress' : 'workload'} ${likely.field(mutant)}`;
}

/** The forms that the mutants of each hunted part have. */
function formsByPart(published: string): ReadonlyMap<string, readonly string[]> {
  const hunted = subjects.filter(({ name }) => HUNTED.includes(name));
  return new Map(
    hunted.flatMap((subject) => {
      const cells = cellsOf(subject.policy, subject.rules);
      return partsOf(subject, published).map((part) => {
        const { mutants } = mutantsOf(part.objects, [], [], ISTIO_ALTERNATIVES);
        return [groupOf(subject.name, part.service), mutants.map(formsIn(part, cells))] as const;
      });
    }),
  );
}

/** While the versions of one lane are tried, those of the other are loaded. */
const LANES = 2;

describeWith(lacksMesh(), 'Istio', async () => {
  const stage = await testStage('istio matrix');
  const assertions = await Assertions.create();
  const report = new Report('istio');
  const equivalents = new Equivalents(istioEquivalents);
  const isTriedIn = shareOut(formsByPart(assertions.published), searchSeed);
  let finished = 0;
  let mesh: IstioMesh;
  beforeAll(async () => {
    mesh = await IstioMesh.start(stage, subjects, COPIES);
  });
  afterAll(() => {
    // Of a run of some tests only, nothing is written.
    if (finished === subjects.length) report.write();
  });

  /** Sends all cells to a side, as many services at a time as there is room for. */
  async function ask(side: IstioSide, cells: readonly Cell[]) {
    let requested = 0;
    const disagreements: Disagreement[] = [];
    for (const wave of side.waves) {
      await side.hold(wave);
      const own = cells.filter((cell) => wave.some(({ service = cell.service }) => service === cell.service));
      const made = await agree(side, own);
      requested += made.requested;
      disagreements.push(...made.disagreements);
    }
    return { requested, disagreements };
  }

  /** Hunts the mutants of the ingress, or of one workload after the other. */
  async function hunted(name: string, side: IstioSide, cells: readonly Cell[]): Promise<SearchResult> {
    const hunts: SearchResult[] = [];
    for (const part of side.parts) {
      const trials = new IstioTrials(side, part, LANES);
      const { mutants: all } = mutantsOf(trials.objects, [], [], ISTIO_ALTERNATIVES);
      const formOf = formsIn(part, cells);
      const mutants = toSearch(all, formOf, (form) => isTriedIn(groupOf(name, part.service), form));
      hunts.push(
        await search(trials, cells, mutants, (mutant) => equivalents.reason(mutant, trials.objects), { lanes: LANES }),
      );
    }
    return {
      kills: hunts.flatMap(({ kills }) => kills),
      survivors: hunts.flatMap(({ survivors }) => survivors),
      equivalent: hunts.flatMap(({ equivalent }) => equivalent),
      requested: hunts.reduce((sum, { requested }) => sum + requested, 0),
    };
  }

  describe.each(subjects.map((subject) => [subject.name, subject] as const))('%s', (name, subject) => {
    const all = cellsOf(subject.policy, subject.rules);
    // Forty hosts have many objects of a few forms.
    const cells = name === '40 hosts' ? toAsk(all) : all;
    const sideOf = (layer: (typeof LAYERS)[number]) => new IstioSide(mesh, subject, layer, stage, assertions);

    test('the cells cover each rule', () => {
      expect(unasked(subject.rules, cells)).toEqual([]);
    });

    test.each(LAYERS)('the %s decides as the policy says', { timeout: 300_000 }, async (layer) => {
      const side = sideOf(layer);
      const { requested, disagreements } = await ask(side, cells);
      report.agreed(name, side.name, requested, disagreements);
      expect(lines(disagreements)).toEqual([]);
      expect(requested).toBe(cells.length);
    });

    test.each(HUNTED.includes(name) ? LAYERS : [])(
      'no field of the %s’s objects can change unnoticed',
      { timeout: 900_000 },
      async (layer) => {
        const side = sideOf(layer);
        const found = await hunted(name, side, cells);
        report.hunted(name, side.name, found);
        expect(survivorLines(found)).toEqual([]);
        const told = found.kills.filter(({ by }) => 'cell' in by);
        const wrongly = told.filter(({ mutant }) =>
          new Equivalents(istioEquivalents).reason(mutant, objectsOf(side, mutant.object)),
        );
        expect(wrongly.map(({ mutant }) => `${mutant.object} ${mutant.path} ${mutant.change}`)).toEqual([]);
      },
    );

    test('the whole matrix ran', () => {
      finished += 1;
    });
  });

  test('each form that is not hunted also occurs among those that are', () => {
    const forms = (some: readonly Subject[]) =>
      formsOf(some.flatMap((subject) => partsOf(subject, assertions.published).flatMap(({ objects }) => objects)));
    const known = forms(subjects.filter(({ name }) => HUNTED.includes(name)));
    const others = forms(subjects.filter(({ name }) => !HUNTED.includes(name)));
    expect([...others].filter((form) => !known.has(form))).toEqual([]);
  });

  if (huntsAll) {
    test('each reason that excuses a change is needed', () => {
      if (finished === subjects.length) expect(equivalents.unused).toEqual([]);
    });
  }
});

const objectsOf = (side: IstioSide, name: string) =>
  side.parts.find(({ objects }) => objects.some((it) => it.name === name))?.objects ?? [];
