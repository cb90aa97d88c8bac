/**
 * The matrix: requests that are derived from the rules, sent to the gateway and to each layer of each mesh. All must
 * answer as `decide` does, as far as they see the request; and every change of what was rendered must make one of them
 * answer otherwise. docs/contributing/matrix.md says how to read matrix.json.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { envoy } from '../../src/targets/envoy/index.ts';
import { openStage, type Stage, saveLogs, startEnvoy, startGateway, startIssuer, until } from '../harness/index.ts';
import { HUNG_MS } from './lab/hung.ts';
import { agree } from './matrix/agree.ts';
import { Assertions } from './matrix/assertions.ts';
import { cellsOf, unasked } from './matrix/cells.ts';
import { EnvoySide, presenterOf } from './matrix/envoy.ts';
import { ENVOY_ALTERNATIVES, envoyEquivalents } from './matrix/envoy-equivalents.ts';
import { EnvoyTrials } from './matrix/envoy-trials.ts';
import { Equivalents } from './matrix/equivalents.ts';
import { GatewaySide } from './matrix/gateway.ts';
import { search } from './matrix/mutant-search.ts';
import { type Mutant, mutantsOf } from './matrix/mutants.ts';
import { envoySubjects, JWKS_FILE, KEYS_FILE, type Subject } from './matrix/policies.ts';
import { lines, Report, survivorLines } from './matrix/report.ts';
import { hunted, huntsAll, searchSeed, shareOut, requested as toAsk } from './matrix/sample.ts';
import { startServices } from './matrix/services.ts';
import type { Mutable } from './matrix/types.ts';

const ISSUER = 'https://issuers:8443/acme';
/** Policies of whose rendered file every field is changed: with MESHGATE_HUNT=all in each place, otherwise see {@link
 * hunted}. */
const HUNTED = ['demo', 'demo, by certificate only', 'confluence', 'agents'];
/** Envoys for changed files. */
const LANES = 4;
const report = new Report('gateway');
const equivalents = new Equivalents(envoyEquivalents);
const assertions = await Assertions.create();
const subjects = await envoySubjects(ISSUER);
let finished = 0;
afterAll(() => {
  // Of a run of some tests only, nothing is written.
  if (finished === subjects.length) report.write();
});

/** A mutant's field and change, without names of rules and services, and without counts. */
const formOf = ({ path, change }: Mutant): string =>
  `${path
    .replace(/(\/policies\/).*?(?=\/(permissions|principals)|$)/, '$1*')
    .replace(/(\/providers\/)[^/]+/, '$1*')
    .replace(/\d+/g, 'N')} ${change}`;

/** The forms of the mutants of the policies that are hunted whole: of the others only mutants of another form are
 * tried. */
const FORMS = new Map(
  subjects
    .filter(({ name }) => HUNTED.includes(name))
    .map(({ name, policy, rules }) => {
      const value = parse(envoy.emit(policy, rules).files['envoy.yaml'] ?? '');
      return [
        name,
        mutantsOf([{ name: 'envoy.yaml', value }], [], [], ENVOY_ALTERNATIVES).mutants.map(formOf),
      ] as const;
    }),
);
const KNOWN = new Set([...FORMS.values()].flat());
const isTriedIn = shareOut(FORMS, searchSeed);

/** The gateway and a plain Envoy behind it, with a policy; services behind both. */
async function startBoth(stage: Stage, { text, policy }: Subject) {
  const [issuers, services] = await Promise.all([startIssuer(stage), startServices(stage, policy)]);
  const issuer = await issuers.create('acme', { alg: 'ES256' });
  const [envoy, gateway] = await Promise.all([
    startEnvoy(stage, { policy: text, files: { [JWKS_FILE]: assertions.published } }),
    startGateway(stage, { policy: text, files: { [KEYS_FILE]: assertions.keyFile } }),
  ]);
  return { issuer, services, envoy, gateway };
}

describe.each(subjects.map((subject) => [subject.name, subject] as const))('%s', (name, subject) => {
  const cells = cellsOf(subject.policy, subject.rules);
  // Forty hosts have many objects of a few forms. Their mutants are hunted with all cells.
  const some = name === '40 hosts' ? toAsk(cells) : cells;
  let stage: Stage;
  let gateway: GatewaySide;
  let envoy: EnvoySide;
  let changed: () => Promise<Mutable>;

  beforeAll(async () => {
    stage = await openStage(`matrix ${name}`);
    const both = await startBoth(stage, subject);
    const presenter = presenterOf(subject, stage, assertions);
    gateway = new GatewaySide(subject, both.gateway, both.issuer, presenter);
    envoy = new EnvoySide(both.envoy, presenter);
    changed = () =>
      EnvoyTrials.start(stage, { subject, services: both.services, side: envoy, presenter, count: LANES });
    const first = cells.find(({ part, credential }) => part === undefined && credential !== undefined);
    // State: a request has passed the gateway and Envoy: each has the keys and the addresses that it needs.
    await until(async () => first === undefined || (await gateway.ask(first)) === 'allowed', {
      what: 'the road to the services',
      timeoutMs: HUNG_MS,
      help: () => saveLogs(stage, 'start'),
    });
  });
  afterAll(() => stage?.close());

  test('the cells cover each rule', () => {
    expect(unasked(subject.rules, some)).toEqual([]);
  });

  test('the gateway decides as the policy says', { timeout: 300_000 }, async () => {
    const { requested, disagreements } = await agree(gateway, some);
    report.agreed(name, gateway.name, requested, disagreements);
    expect(lines(disagreements)).toEqual([]);
  });

  test('Envoy decides as the policy says', { timeout: 300_000 }, async () => {
    const { requested, disagreements } = await agree(envoy, some);
    report.agreed(name, envoy.name, requested, disagreements);
    expect(lines(disagreements)).toEqual([]);
  });

  test('no field of Envoy’s configuration can change unnoticed', { timeout: 900_000 }, async () => {
    const side = await changed();
    const { mutants: all } = mutantsOf(side.objects, [], [], ENVOY_ALTERNATIVES);
    const fresh = HUNTED.includes(name) ? all : all.filter((mutant) => !KNOWN.has(formOf(mutant)));
    const mutants = hunted(fresh, formOf, (form) => isTriedIn(name, form));
    const found = await search(side, cells, mutants, (mutant) => equivalents.reason(mutant, side.objects), {
      lanes: LANES,
    });
    report.hunted(name, side.name, found);
    expect(survivorLines(found)).toEqual([]);
  });

  test('the whole matrix ran', () => {
    finished += 1;
  });
});

if (huntsAll) {
  test('each reason that excuses a change is needed', () => {
    if (finished === subjects.length) expect(equivalents.unused).toEqual([]);
  });
}
