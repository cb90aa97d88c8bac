import type { Policy } from '../../policy/checked/types.ts';
import { compile } from '../../rules/compile.ts';
import { type Enforced, writtenId } from '../../rules/enforced.ts';
import type { Rule } from '../../rules/types.ts';
import type { Coverage, Emitted, Gap, MeshOptions, MeshTarget } from '../types.ts';
import { anonymousAssertions, encodingGaps, rateLimitGaps, unitedHosts, widerTexts } from './gaps.ts';

/** The rules that a mesh enforces. */
export interface Enforcement {
  readonly rules: readonly Enforced[];
  /** What the mesh allows beyond a rule. There is one text for each reason. */
  readonly wider: (rule: Enforced) => readonly string[];
}

/** What the folder of a mesh exports. {@link defineMesh} adds the parts that are the same for all meshes. A folder has
 * index.ts with this definition, gaps.ts (what the mesh does not enforce), project.ts and read.ts (which parts of
 * rules the mesh can express, and how files are read back), drift.ts (what `prove` compares besides the rules),
 * others.ts (objects of other tools that may change a decision), and the files that render. A mesh is registered in
 * targets/index.ts and in MESH_KINDS of the policy. */
interface MeshDefinition extends Omit<MeshTarget, 'emit' | 'covers'> {
  /** The name of the mesh for people. */
  readonly title: string;
  /** What denies paths in which a client percent-encodes characters that need no encoding, in words. */
  readonly refuses: string;
  /** Set if the mesh does not see hosts. The mesh then has a gap that says so. */
  readonly seesNoHost?: true;
  /** Set if the mesh does not read the tools of agents. */
  readonly seesNoTools?: true;
  /** Whether the mesh reads the assertion. */
  readonly seesAssertion: (policy: Policy) => boolean;
  /** What the policy lacks for this mesh, so that nothing can be rendered; undefined if it is complete. */
  missing(policy: Policy, rules: readonly Rule[]): string | undefined;
  /** Gaps that are printed even if nothing is rendered. */
  notEnforcedGaps?(policy: Policy, rules: readonly Rule[]): readonly Gap[];
  /** Renders a complete policy and returns the files with the gaps that only this mesh has. If there cannot be any
   * file, returns the gap that says why. */
  render(policy: Policy, rules: readonly Rule[], options: MeshOptions): Emitted | Gap;
  /** The gaps about the tools of agents. */
  toolGaps?(rules: readonly Enforced[]): readonly Gap[];
  /** The rules that the mesh enforces. */
  enforces(policy: Policy, rules: readonly Rule[]): Enforcement;
  /** Why the mesh does not enforce a rule of a service behind it at all; undefined if it does. */
  notEnforced(rule: Rule, policy: Policy): string | undefined;
}

const namesTools = ({ who }: Rule): boolean => who.kind === 'agent' && who.tools !== undefined;

const unseenTools = (title: string): string =>
  `${title} does not read the tools of an agent, so it allows all tools; the gateway enforces the rule's tools, and so does the MCP server, which compares the headers with the message`;

/** The gaps that every mesh has. They follow the gaps of this mesh. */
function commonGaps(mesh: MeshDefinition, policy: Policy, rules: readonly Rule[]): readonly Gap[] {
  const { title, seesNoHost, seesAssertion, refuses, toolGaps } = mesh;
  const enforced = mesh.enforces(policy, rules).rules;
  return [
    ...encodingGaps(enforced, refuses),
    ...(toolGaps?.(enforced) ?? []),
    ...(seesNoHost ? [] : unitedHosts(enforced, title)),
    ...(seesAssertion(policy) ? anonymousAssertions(policy, enforced, title) : []),
    ...rateLimitGaps(policy, title),
  ];
}

function emit(mesh: MeshDefinition, policy: Policy, rules: readonly Rule[], options: MeshOptions): Emitted {
  const { title, seesNoTools } = mesh;
  const always = mesh.notEnforcedGaps?.(policy, rules) ?? [];
  const unseen = seesNoTools ? rules.filter((rule) => namesTools(rule) && !policy.services[rule.service]?.direct) : [];
  const tools = unseen.map(({ id }) => ({ part: id, text: unseenTools(title) }));
  const missing = mesh.missing(policy, rules);
  if (missing !== undefined) return { files: {}, gaps: [{ part: 'mesh', text: missing }, ...always, ...tools] };
  const own = mesh.render(policy, rules, options);
  if ('part' in own) return { files: {}, gaps: [own] };
  return { ...own, gaps: [...always, ...own.gaps, ...commonGaps(mesh, policy, rules), ...tools] };
}

function covers(mesh: MeshDefinition, rule: Rule, policy: Policy): Coverage {
  const { title, seesNoTools, seesAssertion } = mesh;
  const isDirect = policy.services[rule.service]?.direct !== undefined;
  const direct = isDirect ? `${rule.service} is not reached through ${title}` : undefined;
  const none = mesh.notEnforced(rule, policy) ?? direct;
  if (none !== undefined) return { kind: 'none', text: none };
  const { rules, wider } = mesh.enforces(policy, compile(policy));
  const texts = new Set([
    ...rules.filter(({ id }) => writtenId(id) === rule.id).flatMap(wider),
    ...widerTexts(policy, rules, rule.id, { mesh: title, assertion: seesAssertion(policy) }),
    ...(seesNoTools && namesTools(rule) ? [unseenTools(title)] : []),
  ]);
  return texts.size === 0 ? { kind: 'exact' } : { kind: 'wider', text: [...texts].join('; ') };
}

/** Makes a target from the definition of a mesh. */
export const defineMesh = (mesh: MeshDefinition): MeshTarget => ({
  ...mesh,
  emit: (policy, rules, options = {}) => emit(mesh, policy, rules, options),
  covers: (rule, policy) => covers(mesh, rule, policy),
  drift: (policy, rules, options, files) => {
    const missing = mesh.missing(policy, rules);
    return missing === undefined ? mesh.drift(policy, rules, options, files) : [missing];
  },
});
