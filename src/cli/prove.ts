import { buildCommand } from '@stricli/core';
import type { MeshKind } from '../policy/types.ts';
import { agentChanges, type DefinitionChange, providerChanges, roleChanges } from '../rules/definitions.ts';
import { writtenId } from '../rules/enforced.ts';
import { impliedBy } from '../rules/implied.ts';
import { prove, proveIdentities, type Side, type Witness } from '../rules/prove.ts';
import { meshTarget, meshTargetNames } from '../targets/index.ts';
import type { MeshTarget } from '../targets/types.ts';
import { action, type Context, described, type Format, formatFlag, NO, WrongUse, YES } from './context.ts';
import { fileName, type Loaded, loadPair, loadValid, readFile, utf8 } from './load.ts';
import { type Proof, proofOutput } from './proof.ts';
import type { Runtime } from './runtime.ts';

interface Flags {
  readonly target?: MeshKind;
  readonly format: Format;
}

/** Service and identity by what they are and not by their names: an authority, a SPIFFE id. */
function sideOf({ policy, rules }: Loaded): Side {
  return {
    rules,
    outcome: ({ service, as }) => {
      const found = policy.services[service];
      const direct = found?.direct && [found.direct.host, found.direct.port, found.direct.tls];
      return JSON.stringify([found?.authority, direct, policy.mesh?.identities[as]?.spiffe]);
    },
  };
}

/**
 * What a caller's roles rest on, where both define it and not alike. A name that one side alone has makes no difference
 * if the rules make none; nor does the path of a CA's file.
 */
function foundations(before: Loaded, after: Loaded): readonly DefinitionChange[] {
  const roles = roleChanges(before.policy, after.policy).filter(
    (it) => it.before !== undefined && it.after !== undefined,
  );
  const agents = agentChanges(before.policy, after.policy).filter(({ key }) => key !== undefined);
  const providers = providerChanges(before.policy, after.policy);
  return [...roles, ...agents, ...providers.filter(({ key }) => key !== undefined && key !== 'ca_file')];
}

/** URL of a request as its side's gateway is asked. */
function urlOf({ policy }: Loaded, { host, path }: Pick<Witness, 'host' | 'path'>): string {
  return `${policy.gateway.insecureHttp ? 'http' : 'https'}://${host}${path}`;
}

/** Meshes whose files can be read back. */
const READABLE = meshTargetNames.filter((name) => meshTarget(name).read !== undefined);

/** The rules of the policy as the target keeps them, and those of its file. */
function bothSides({ policy, rules }: Loaded, target: MeshTarget, text: string, file: string) {
  const { project, read } = target;
  if (project === undefined || read === undefined) throw new WrongUse(`what ${target.name} rendered cannot be read`);
  try {
    return { own: project(policy, rules), found: read({ [file]: text }) };
  } catch {
    throw new WrongUse(`${fileName(file)} is not as "meshgate render --target ${target.name}" writes it`);
  }
}

function proveTarget(runtime: Runtime, name: MeshKind, a: string, b: string): Proof | undefined {
  if (a === '-' && b === '-') throw new WrongUse('standard input holds one file, not two');
  const loaded = loadValid(runtime, a);
  if (loaded === undefined) return undefined;
  const text = utf8(readFile(runtime, b, 'the rendered file')) ?? '';
  const { own: projected, found } = bothSides(loaded, meshTarget(name), text, b);
  const witness = proveIdentities(projected, found);
  if (witness === undefined) return { definitions: [] };
  // The policy's own rule: it has a place.
  const own = loaded.rules.find((rule) => rule.id === writtenId(witness.left?.id ?? ''));
  const caller = { identity: witness.caller };
  return { witness: { ...witness, ...(own && { left: own }), url: urlOf(loaded, witness), caller }, definitions: [] };
}

function provePolicies(runtime: Runtime, a: string, b: string): Proof | undefined {
  const loaded = loadPair(runtime, a, b);
  if (loaded === undefined) return undefined;
  const [left, right] = loaded;
  const witness = prove(sideOf(left), sideOf(right), impliedBy([left.policy, right.policy]));
  const definitions = foundations(left, right);
  return witness === undefined ? { definitions } : { witness: { ...witness, url: urlOf(left, witness) }, definitions };
}

/** `meshgate prove`: whether two sides allow the same requests, or one that tells them apart. */
export function proveCommandRun(runtime: Runtime, { target, format }: Flags, a: string, b: string): number {
  const proof = target === undefined ? provePolicies(runtime, a, b) : proveTarget(runtime, target, a, b);
  if (proof === undefined) return NO;
  runtime.out(proofOutput(runtime, proof, { a, b, format }));
  return proof.witness === undefined && proof.definitions.length === 0 ? YES : NO;
}

export const proveCommand = buildCommand<Flags, [string, string], Context>({
  func: action(proveCommandRun),
  parameters: {
    flags: {
      target: {
        kind: 'enum',
        values: READABLE,
        optional: true,
        brief: 'B is what this target rendered and not a policy',
      },
      format: formatFlag,
    },
    positional: {
      kind: 'tuple',
      parameters: [
        { parse: String, placeholder: 'A', brief: 'A policy (- reads standard input)' },
        { parse: String, placeholder: 'B', brief: 'Another policy; with --target its file' },
      ],
    },
  },
  docs: {
    brief: 'Prove that two policies, or a policy and a rendered file, allow the same requests',
    fullDescription: described(
      'Says whether two policies allow the same requests, to the same services and as the same identities; or prints one request that tells them apart, with the rules on both sides. Every class of requests is looked at, none is sampled. With --target, whether the mesh lets the same identities do what the policy does. Exit code 0: they are the same; 1: they differ.',
      [
        'meshgate prove old.yaml new.yaml',
        'meshgate prove --target envoy meshgate.yaml build/envoy.yaml',
        'meshgate prove --format json meshgate.yaml other.yaml',
      ],
    ),
  },
});
