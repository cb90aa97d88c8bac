import { foreign } from '../../base/hostile-text.ts';
import { place } from '../../policy/index.ts';
import type { Query } from '../../rules/compare/compared-callers.ts';
import type { DefinitionChange } from '../../rules/compare/parts.ts';
import type { Witness } from '../../rules/compare/prove.ts';
import { messageText } from '../../rules/tools.ts';
import type { Rule } from '../../rules/types.ts';
import type { Paint } from '../common/print.ts';
import { aloneText, rolesText, ruleText } from '../common/words.ts';
import { ruleJson } from '../diff/command.ts';
import { definitionText } from '../diff/text.ts';

/** The caller that two sides treat differently: an anonymous caller, a caller with roles, or an identity. */
export type Differing = Query | { readonly identity: string };

/** The result of a proof: a request on which the sides differ, and the definitions that differ. */
export interface Proof {
  readonly witness?: Omit<Witness<Differing>, 'host' | 'path'> & { readonly url: string };
  readonly definitions: readonly DefinitionChange[];
  /** Definitions that differ but do not decide any request by themselves. They are listed and not compared. */
  readonly other?: readonly DefinitionChange[];
  /** Other differences in the objects of a mesh, one per line. */
  readonly objects?: readonly string[];
  /** What the proof assumes about the mesh. */
  readonly assumes?: string;
}

/** Whether the sides do not differ. */
export function isSame({ witness, definitions, objects = [] }: Proof): boolean {
  return witness === undefined && definitions.length === 0 && objects.length === 0;
}

/** Whether the result is certain: either the sides are the same, or a difference was found. */
export function isProven(proof: Proof): boolean {
  return proof.witness !== undefined || proof.definitions.length > 0 || isSame(proof);
}

/** Describes an anonymous caller, with the roles that its address gives on both sides. */
function anonymousText({ roles, left, address }: Exclude<Query, null>): string {
  const gives = (those: readonly string[]) => those.join(', ') || 'no role';
  const each = left === undefined ? gives(roles) : `${gives(left)} on the first side and ${gives(roles)} on the second`;
  return `an anonymous caller, from ${address}; the request gives ${each}`;
}

function callerText(caller: Differing): string {
  if (caller === null) return 'an anonymous caller';
  if ('identity' in caller) return caller.identity;
  if (caller.nobody) return anonymousText(caller);
  const sending = caller.mcp === undefined ? '' : `, sending ${messageText(caller.mcp)}`;
  if (caller.alone && caller.agent !== undefined) {
    const gives = caller.roles.length === 0 ? '' : `, whose token gives ${caller.roles.join(', ')}`;
    return `${aloneText(caller.agent)}${gives}${sending}`;
  }
  return rolesText(caller.roles, caller.agent) + sending;
}

/** Escapes text from a mesh, so that it stays on one line. */
const inLine = (text: string): string => foreign(text, Number.POSITIVE_INFINITY);

function sideText(file: string, rule: Rule | undefined, paint: Paint): string {
  if (rule === undefined) return `${file}: ${paint('bad', 'refused')}`;
  // A rule that was read from a mesh has no place in a file. The mesh knows only the identity of the caller.
  if (rule.at.line === 0) return `${file}: ${paint('good', 'allowed')} by ${inLine(rule.id)}`;
  const says = `${ruleText(rule)}, to ${rule.service}`;
  return `${file}: ${paint('good', 'allowed')} by ${rule.id}: ${says}  ${paint('dim', place(rule.at))}`;
}

/** Returns a proof for people. `left` and `right` are the names of the two sides. */
export function proofText(proof: Proof, left: string, right: string, paint: Paint): string {
  const { witness, definitions, other = [], objects = [], assumes } = proof;
  const changed = definitions.map(definitionText);
  const rest = other.map((change) => `not compared: ${definitionText(change)}`);
  if (witness !== undefined) {
    return [
      `${paint('bad', 'no')}: ${left} and ${right} differ`,
      paint('strong', inLine(`${witness.method} ${witness.url}`)),
      `caller  ${inLine(callerText(witness.caller))}`,
      `  ${sideText(left, witness.left, paint)}`,
      `  ${sideText(right, witness.right, paint)}`,
      ...[...changed, ...objects.map(inLine)].map((line) => `also: ${line}`),
      ...rest,
    ].join('\n');
  }
  if (objects.length > 0) {
    const no = `${paint('bad', 'not proven')}: ${right} differs from what meshgate renders from ${left}`;
    return [no, ...objects.map((line) => `  ${inLine(line)}`)].join('\n');
  }
  const granted = assumes === undefined ? '' : `, if ${assumes}`;
  const result =
    definitions.length === 0
      ? `${paint('good', 'yes')}: ${left} and ${right} allow the same requests${granted}`
      : `${paint('bad', 'no')}: ${left} and ${right} allow the same roles the same requests, but define these in different ways`;
  return [result, ...changed.map((line) => `  ${line}`), ...rest].join('\n');
}

function callerJson(caller: Differing) {
  if (caller === null) return { kind: 'nobody' };
  return 'identity' in caller ? { kind: 'identity', ...caller } : { kind: 'roles', ...caller };
}

/** Returns a proof as JSON. `a` and `b` are the names of the two sides. */
export function proofJson(proof: Proof, a: string, b: string) {
  const { witness, definitions, other = [], objects = [] } = proof;
  const side = (rule: Rule | undefined) => ({ allowed: rule !== undefined, ...(rule && ruleJson(rule)) });
  const worded = (changes: readonly DefinitionChange[]) =>
    changes.length === 0 ? undefined : changes.map((change) => ({ ...change, text: definitionText(change) }));
  return {
    ...{ same: isSame(proof), proven: isProven(proof), a, b },
    witness: witness && {
      ...{ method: witness.method, url: witness.url, caller: callerJson(witness.caller) },
      ...{ a: side(witness.left), b: side(witness.right) },
    },
    definitions: worded(definitions),
    notCompared: worded(other),
    objects: objects.length > 0 ? objects : undefined,
    assumes: isSame(proof) ? proof.assumes : undefined,
  };
}
