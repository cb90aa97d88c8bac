import type { Policy } from '../../../src/policy/checked/types.ts';
import { covers } from '../../../src/rules/compare/cover.ts';
import { decide } from '../../../src/rules/decide/decide.ts';
import type { Rule } from '../../../src/rules/types.ts';
import type { Answer, Cell, Credential, Flaw } from './types.ts';

/** What one layer of a mesh sees of a request. The decision is that of `decide`, on the rules as far as the layer sees
 * them. */
export interface View {
  readonly policy: Policy;
  /** The rules that it enforces. */
  readonly rules: readonly Rule[];
  readonly layer: 'ingress' | 'workload';
  /** Whether it verifies the assertion; otherwise a client with the identity may be any caller. */
  readonly assertion: boolean;
  /** Whether it compares `as` with the assertion. */
  readonly as: boolean;
  /** Authorities of the service; a workload may accept any, because it is the service. */
  readonly authorities: (service: string) => readonly string[] | 'any' | ((authority: string) => boolean);
  /** The path as it is matched, or how it is refused before any rule. */
  readonly path: (raw: string) => { readonly path: string } | { readonly refused: Answer };
  /** Where an invalid assertion is refused: when it is read, or by the rules. */
  readonly flawed: (flaw: Flaw) => Answer;
  /** Whether a certificate of the mesh's CA with this SPIFFE id is accepted for a connection. */
  readonly connects: (spiffe: string) => boolean;
  /** SPIFFE id of the ingress, which connects to a workload. */
  readonly ingress?: string;
}

/** SPIFFE id of a connection; undefined: there is none. */
export function spiffeOf(cell: Cell, { policy, layer, ingress }: View): string | undefined {
  const own = (identity: string) => policy.mesh?.identities[identity]?.spiffe;
  switch (cell.connects.kind) {
    case 'right':
      return layer === 'ingress' ? own(cell.connects.identity) : ingress;
    case 'identity':
      return own(cell.connects.identity);
    case 'spiffe':
      return cell.connects.spiffe;
    default:
      return undefined;
  }
}

/** Rules that the connection may use at all. */
function rulesOf(cell: Cell, view: View, spiffe: string): readonly Rule[] {
  const { policy, layer } = view;
  const service = queriedService(cell, view);
  const connects = ({ as }: Rule) =>
    layer === 'ingress' ? policy.mesh?.identities[as]?.spiffe === spiffe : spiffe === view.ingress;
  return view.rules.filter(
    (rule) => policy.services[rule.service]?.direct === undefined && rule.service === service && connects(rule),
  );
}

/** The service that a layer assigns a request to. */
export function queriedService(cell: Cell, view: View): string | undefined {
  return Object.keys(view.policy.services).find((service) => {
    const own = view.authorities(service);
    if (own === 'any') return service === cell.service;
    return typeof own === 'function' ? own(cell.authority) : own.includes(cell.authority);
  });
}

function isForAnother(cell: Cell, view: View): boolean {
  const requested = queriedService(cell, view);
  return cell.credential !== undefined && requested !== undefined && cell.credential.service !== requested;
}

/** The expected answer of a layer of the mesh. */
export function expectedOf(cell: Cell, view: View): Answer {
  const spiffe = spiffeOf(cell, view);
  if (spiffe === undefined || !view.connects(spiffe)) return 'refused: connection';
  const { credential } = cell;
  const flaw = credential?.flaw ?? (isForAnother(cell, view) ? 'audience' : undefined);
  if (view.assertion && flaw !== undefined) return view.flawed(flaw);
  const read = view.path(cell.path);
  if ('refused' in read) return read.refused;
  const travels = ({ who, as }: Rule) => !view.as || who.kind === 'anyone' || credential?.as === as;
  const own = rulesOf(cell, view, spiffe).filter(
    (rule) => covers(rule.path, read.path) && (!view.assertion || travels(rule)),
  );
  return isAllowed(cell, own, view) ? 'allowed' : 'refused: rules';
}

/** Whether rules that its connection may use allow a cell. */
function isAllowed(cell: Cell, own: readonly Rule[], { rules, assertion }: View): boolean {
  const { credential = null, method }: { credential?: Credential | null; method: string } = cell;
  if (!assertion) {
    const open = own.map(({ route: _, ...rule }) => ({ ...rule, who: { kind: 'anyone' as const } }));
    return decide(open, null, { route: '', method }).allow;
  }
  if (credential?.agent === undefined) {
    // No layer of a mesh knows of routes: all rules are united.
    const united = own.map(({ route: _, ...rule }) => rule);
    return decide(united, credential, { route: '', method }).allow;
  }
  // The person behind an agent passes by any rule of the route, whatever identity connects.
  return own
    .filter(({ who }) => who.kind === 'agent')
    .some((rule) => {
      const people = rules.filter(({ route, who }) => route === rule.route && who.kind !== 'agent');
      return decide([rule, ...people], credential, { route: rule.route, method }).allow;
    });
}
