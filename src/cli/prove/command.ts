import { identityOf, meshOf, reachedAt } from '../../policy/checked/ingresses.ts';
import type { MeshKind } from '../../policy/checked/types.ts';
import { definitionChanges } from '../../rules/compare/changed-definitions.ts';
import { classify } from '../../rules/compare/classify.ts';
import { populationOf } from '../../rules/compare/population.ts';
import { prove, proveIdentities, type Side, type Witness } from '../../rules/compare/prove.ts';
import { writtenId } from '../../rules/enforced.ts';
import type { MeshRule } from '../../rules/types.ts';
import { meshTarget, meshTargetNames } from '../../targets/index.ts';
import { ownerOf } from '../../targets/kit/owner.ts';
import { Foreign, type MeshTarget } from '../../targets/types.ts';
import { argument, command, formatFlag, NO, NOT_PROVEN, WrongUse, YES } from '../common/context.ts';
import { decoded, type Loaded, loadPair, loadValid, readFile } from '../common/load.ts';
import {
  assertionJwksFlag,
  checkTogether,
  ingressFlag,
  meshNameFlag,
  meshOptions,
  ofMesh,
  seenFrom,
} from '../common/mesh-flags.ts';
import {
  fileName,
  type PairFlags,
  pairFlags,
  pairOf,
  readsStdin,
  type Source,
  sourceName,
  sourceOf,
} from '../common/source.ts';
import type { Runtime } from '../machine/runtime.ts';
import { isProven, isSame, type Proof, proofJson, proofText } from './proof.ts';

/** Returns a policy as one side of the comparison. Services are compared by address and identities by SPIFFE id,
 * because their names may differ. */
function sideOf({ policy, rules }: Loaded): Side {
  return {
    rules,
    outcome: (rule) => {
      const found = policy.services[rule.service];
      const mesh = meshOf(policy, found);
      const ingresses = mesh && found ? reachedAt(mesh, found) : [];
      const through = ingresses.map((ingressItem) => [
        ingressItem.host,
        ingressItem.port,
        ingressItem.serverName,
        ingressItem.caFile,
      ]);
      const { authority, endpoint, direct } = found ?? {};
      return JSON.stringify([authority, endpoint, direct, through, identityOf(policy, rule)?.spiffe]);
    },
  };
}

/** Returns the URL with which a client would send this request to the gateway of this policy. */
const urlOf = ({ policy }: Loaded, { host, path }: Pick<Witness, 'host' | 'path'>): string =>
  `${policy.gateway.insecureHttp ? 'http' : 'https'}://${host}${path}`;

/** The meshes whose files `prove` can read. */
const READABLE = meshTargetNames.filter((name) => meshTarget(name).read !== undefined);

const ENDINGS = /\.(ya?ml|json)$/;

/** Matches hidden files, such as those of Git. A mesh does not apply them. */
const HIDDEN = /(^|\/)\./;

/** Reads the files of a mesh: one file, or all files in a folder. */
function meshFiles(runtime: Runtime, path: string): Readonly<Record<string, string>> {
  const read = (file: string): string => {
    const text = decoded(fileName(file), readFile(runtime, file, 'the rendered file'));
    // An empty file means that the tool that wrote it failed.
    if (text.trim() === '') throw new WrongUse(`${fileName(file)}: the file is empty`);
    return text;
  };
  const all = path === '-' ? undefined : runtime.list(path);
  if (all === undefined) return { [fileName(path)]: read(path) };
  const names = all.filter((name) => ENDINGS.test(name));
  if (names.length === 0) throw new WrongUse(`${path} has no file that ends in .yaml or .json`);
  const other = all.find((name) => !ENDINGS.test(name) && !HIDDEN.test(name));
  if (other === undefined) return Object.fromEntries(names.map((name) => [name, read(`${path}/${name}`)]));
  throw new WrongUse(`${path}/${other}: prove reads only .yaml, .yml and .json files; rename or remove this one`);
}

/** Returns the URL of a request. A workload has no URL, so its name is returned. */
function meshUrl(loaded: Loaded, { host, path }: Pick<Witness, 'host' | 'path'>): string {
  return host.includes('/')
    ? `${path} at the workload of ${host}`
    : urlOf(loaded, { host: host.replace(/^=/, ''), path });
}

/** Finds a request on which the policy and the rules of the target differ.
 * @param unguarded whether the target has no rules for a host, so that the target's own default decides */
function meshWitness(
  loaded: Loaded,
  target: MeshTarget,
  read: readonly MeshRule[],
  unguarded: (host: string) => boolean,
): Proof['witness'] {
  const known = (rules: readonly MeshRule[]) => rules.filter(({ host }) => !unguarded(host));
  const witness = proveIdentities(known(target.project?.(loaded.policy, loaded.rules) ?? []), known(read));
  if (witness === undefined) return undefined;
  // The rule of the policy is reported, because only it has a line number.
  const own = loaded.rules.find((rule) => rule.id === writtenId(witness.left?.id ?? ''));
  const caller = { identity: witness.caller };
  return { ...witness, ...(own && { left: own }), url: meshUrl(loaded, witness), caller };
}

function proveTarget(
  runtime: Runtime,
  name: MeshKind,
  { assertionJwks, meshName, ingress }: Readonly<Record<'assertionJwks' | 'meshName' | 'ingress', string | undefined>>,
  a: Source,
  b: string,
): Proof {
  if (readsStdin(a) && b === '-') throw new WrongUse('only one file can come from standard input');
  const target = meshTarget(name);
  if (assertionJwks !== undefined && !target.takesJwks)
    throw new WrongUse(`--assertion-jwks has no effect for ${name}: leave it out`);
  const entire = loadValid(runtime, a);
  checkTogether(target, ingress);
  const own = ofMesh(entire, meshName, target);
  const loaded = target.together ? own : seenFrom(own, ingress);
  const files = meshFiles(runtime, b);
  const { policy, rules } = loaded;
  let objects: readonly string[] = [];
  let read: readonly MeshRule[];
  try {
    objects = target.drift?.(policy, rules, meshOptions(runtime, assertionJwks), files) ?? [];
    read = target.read?.(files, ownerOf(policy)) ?? [];
  } catch (error) {
    if (error instanceof WrongUse) throw error;
    if (error instanceof Foreign) throw new WrongUse(`${error.file ?? fileName(b)}: ${error.message}`);
    // A rule that another tool wrote is a difference. Some such objects cannot be read as rules.
    const shapeless = `"meshgate render --target ${name}" does not write such an object`;
    return {
      definitions: [],
      objects: [...objects, error instanceof TypeError ? shapeless : (error as Error).message],
    };
  }
  const witness = meshWitness(loaded, target, read, target.unguarded?.(policy, rules, files) ?? (() => false));
  const { assumes } = target;
  return { ...(witness && { witness }), definitions: [], objects, ...(assumes !== undefined && { assumes }) };
}

/** Returns the policy that is compared with a mesh. There is only one policy then, so flags for one side say nothing. */
function meshSource(runtime: Runtime, a: string, { overlay, env, ...sides }: PairFlags): Source {
  const given = Object.entries(sides).find(([, values]) => values !== undefined)?.[0];
  if (given === undefined) return sourceOf(runtime, a, { overlay, env });
  throw new WrongUse(
    `--${given.replace('O', '-o').replace('E', '-e')} has no effect with --target: write --overlay or --env`,
  );
}

function provePolicies(runtime: Runtime, pair: readonly [Source, Source]): Proof {
  const [left, right] = loadPair(runtime, pair);
  const witness = prove(sideOf(left), sideOf(right), populationOf(left.policy, right.policy));
  const { counted, reached, other } = classify(definitionChanges(left.policy, right));
  if (witness === undefined) return { definitions: counted, other };
  return { witness: { ...witness, url: urlOf(left, witness) }, definitions: [...counted, ...reached], other };
}

/** `meshgate prove`: proves that two sides allow the same requests, or finds a request on which they differ. */
export const proveCommand = command({
  brief: 'Prove that two policies, or a policy and a rendered file, allow the same requests',
  text: 'Says whether two policies allow the same requests, to the same services and as the same identities, or prints one request on which they differ, with the rules on both sides. It examines every class of requests, not a sample. With --target it compares the policy with a mesh, by rendered files or by the live objects of the mesh: whether both allow each identity the same requests.',
  exits: {
    0: 'the sides are the same',
    1: 'they differ in a request or a definition',
    3: 'not proven. Code 3 means that a policy has errors, or that the mesh has an object that meshgate does not render. Such an object may allow more: treat it as an alarm',
  },
  examples: [
    'meshgate prove old.yaml new.yaml',
    'meshgate prove --target envoy meshgate.yaml build/envoy.yaml',
    'meshgate prove --target istio meshgate.yaml build',
    'meshgate prove --format json meshgate.yaml other.yaml',
  ],
  flags: {
    target: {
      kind: 'enum',
      values: READABLE,
      optional: true,
      brief: 'B is a file or folder of this mesh, not a policy',
    },
    assertionJwks: assertionJwksFlag,
    meshName: meshNameFlag,
    ingress: ingressFlag,
    ...pairFlags,
    format: formatFlag,
  },
  args: [
    argument('A', 'A policy (- reads standard input)'),
    argument('B', 'Another policy; with --target, the file or folder of the mesh'),
  ],
  run(runtime, { target, assertionJwks, meshName, ingress, format: _, ...stages }, a, b) {
    for (const [name, value] of Object.entries({ 'assertion-jwks': assertionJwks, ingress, 'mesh-name': meshName }))
      if (target === undefined && value !== undefined) throw new WrongUse(`--${name} has no effect without --target`);
    const sides =
      target === undefined
        ? pairOf(a, b, stages)
        : ([meshSource(runtime, a, stages), sourceOf(runtime, b, {})] as const);
    const proof =
      target === undefined
        ? provePolicies(runtime, sides)
        : proveTarget(runtime, target, { assertionJwks, meshName, ingress }, sides[0], b);
    const [left, right] = [sourceName(sides[0]), sourceName(sides[1])];
    return {
      code: !isProven(proof) ? NOT_PROVEN : isSame(proof) ? YES : NO,
      value: proofJson(proof, left, right),
      text: (paint) => `${proofText(proof, left, right, paint)}\n`,
    };
  },
});
