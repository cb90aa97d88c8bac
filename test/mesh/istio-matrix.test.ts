/**
 * The matrix at Istio's two layers: every cell of every policy, put straight to an ingress and straight to the workloads.
 * Both have to answer what `decide` says, as far as they see the request.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { testStage } from '../harness/index.ts';
import { hasMesh } from './lab/index.ts';
import { agree, type Disagreement } from './matrix/agree.ts';
import { Assertions } from './matrix/assertions.ts';
import { cellsOf } from './matrix/cells.ts';
import { IstioSide } from './matrix/istio.ts';
import { IstioMesh } from './matrix/istio-mesh.ts';
import { istioSubjects } from './matrix/istio-policies.ts';
import { lines, Report } from './matrix/report.ts';
import type { Cell } from './matrix/types.ts';

const subjects = await istioSubjects('https://issuers:8443/acme');
/** Ingresses, and as many slots. */
const COPIES = 4;

describe.skipIf(!hasMesh())('Istio', async () => {
  const stage = await testStage('istio matrix');
  const assertions = await Assertions.create();
  const report = new Report('istio');
  let mesh: IstioMesh;
  beforeAll(async () => {
    mesh = await IstioMesh.start(stage, subjects, COPIES);
  });
  afterAll(() => report.write());

  /** Puts all cells to a side, as many services at a time as there is room for. */
  async function ask(side: IstioSide, cells: readonly Cell[]) {
    let asked = 0;
    const disagreements: Disagreement[] = [];
    for (const wave of side.waves) {
      await side.hold(wave);
      const own = cells.filter((cell) => wave.some(({ service = cell.service }) => service === cell.service));
      const made = await agree(side, own);
      asked += made.asked;
      disagreements.push(...made.disagreements);
    }
    return { asked, disagreements };
  }

  describe.each(subjects.map((subject) => [subject.name, subject] as const))('%s', (name, subject) => {
    const cells = cellsOf(subject.policy, subject.rules);

    test.each(['ingress', 'workload'] as const)(
      'the %s decides as the policy says',
      async (layer) => {
        const side = new IstioSide(mesh, subject, layer, stage, assertions);
        const { asked, disagreements } = await ask(side, cells);
        report.agreed(name, side.name, asked, disagreements);
        expect(lines(disagreements)).toEqual([]);
        expect(asked).toBe(cells.length);
      },
      180_000,
    );
  });
});
