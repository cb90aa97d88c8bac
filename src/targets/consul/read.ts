import { BY_ROLE, EVERY_ROLE, roleHolder } from '../../assertion/claims.ts';
import { NON_CANONICAL_PATH } from '../../base/raw-path.ts';
import type { PersonWho } from '../../policy/checked/types.ts';
import { CALL, type McpHeaders, refusedTool, toolAtoms } from '../../rules/tools.ts';
import type { MeshRule, Path } from '../../rules/types.ts';
import { isOneOf } from '../kit/message-order.ts';
import { methodsOf } from '../kit/methods.ts';
import { DEFAULT_OWNER } from '../kit/owner.ts';
import { MESH_METHODS } from '../kit/reach.ts';
import { unlike } from '../kit/reading.ts';
import { grouped, meshRule, regionsOf } from '../kit/rules.ts';
import type { Files } from '../types.ts';
import { EVERYBODY } from './entries.ts';
import { type ReadPermission, type ReadSource, sourcesIn } from './parse.ts';
import { rulePath } from './path-regex.ts';
import { CONSUL_FILE, consulAssertedText, serviceHost } from './project.ts';

/** The callers that a permission allows, with the members of rules. */
type Passing = Pick<MeshRule, 'who' | 'agent' | 'alone' | 'asserted'>;

const PERSON = roleHolder(null);

function passingOf(claims: ReadonlyMap<string, string>, provider: string): Passing {
  const [audience, as] = [claims.get('aud'), claims.get('as')];
  if (audience === undefined || as === undefined) throw unlike([...claims]);
  const asserted = consulAssertedText(as, audience, provider);
  if (claims.size === 2) return { who: { kind: 'authenticated' }, asserted };
  const [path = '', holder = ''] = [...claims].find(([path]) => path.startsWith(`${BY_ROLE}\0`)) ?? [];
  const role = path.slice(BY_ROLE.length + 1);
  const [, agent = null, isAlone] = holder === PERSON ? [] : (/^agent ([^ ]+)( alone)?$/.exec(holder) ?? []);
  const alone = isAlone !== undefined;
  if (role === '' || claims.size !== 3 || holder !== roleHolder(agent, alone)) throw unlike([...claims]);
  const who: PersonWho = role === EVERY_ROLE ? { kind: 'authenticated' } : { kind: 'role', role };
  return { who, agent, ...(alone && { alone }), asserted };
}

const ANYONE: Passing = { who: { kind: 'anyone' } };

/** The paths of a permission, in the form of rules. */
function pathsOf({ places }: ReadPermission): readonly Path[] {
  const open = places.find(({ kind, value }) => kind === 'prefix' && !value.endsWith('/'));
  if (open !== undefined) throw unlike(open.value);
  return places.map(rulePath);
}

/** Checks that no prefix can allow paths which are not canonical, and that everything else is denied. */
function check({ name, destination, permissions }: ReadSource): void {
  const where = `service-intentions ${destination}, ${name}`;
  const unexpected = ({ action, pattern = '', methods, messages }: ReadPermission) =>
    action === 'deny' &&
    (methods ?? messages) === undefined &&
    (pattern.startsWith(NON_CANONICAL_PATH) || pattern.startsWith(`(${NON_CANONICAL_PATH}`));
  const other = permissions.find((it) => it.pattern !== undefined && !unexpected(it));
  if (other !== undefined) {
    throw new Error(
      `${where}: a PathRegex with the action ${other.action} is not the one that refuses paths that are not canonical`,
    );
  }
  const opens = permissions.some(
    ({ action, places }) => action === 'allow' && places.some((it) => it.kind === 'prefix'),
  );
  if (opens && permissions[0]?.pattern === undefined)
    throw new Error(`${where}: paths that are not canonical are not refused`);
  const last = permissions.at(-1);
  const isComplete = last?.places.some(({ kind, value }) => kind === 'prefix' && value === '/');
  if (!isComplete || (last?.methods ?? last?.messages) !== undefined)
    throw new Error(`${where}: the default of the mesh decides about a request without a permission`);
}

/** Whether the first permission allows every caller that the second one allows. */
function includes(wide: Passing, { who, agent, alone, asserted }: Passing): boolean {
  if (wide.who.kind === 'anyone') return true;
  if (wide.alone !== alone) return false;
  if ((wide.agent !== undefined && wide.agent !== agent) || wide.asserted !== asserted) return false;
  return wide.who.kind === 'authenticated' || JSON.stringify(wide.who) === JSON.stringify(who);
}

/** The permissions for a path, and the messages that they distinguish. A request without a message comes first. */
interface Place {
  readonly permissions: readonly (ReadPermission & { readonly index: number })[];
  readonly patterns: readonly string[];
  readonly messages: readonly McpHeaders[];
}

function placeOf(source: ReadSource, path: string): Place {
  // The patterns that meshgate renders match no canonical path.
  const hasPath = ({ places }: ReadPermission) =>
    places.some(({ kind, value }) => (kind === 'exact' ? path === value : path.startsWith(value)));
  const permissions = source.permissions.map((it, index) => ({ ...it, index })).filter(hasPath);
  const all = permissions.flatMap(({ messages }) => messages ?? []);
  const patterns = all.flatMap((it) => (it.kind === 'call' ? it.pattern : it.kind === 'encoded' ? '*' : []));
  const atoms = all.length === 0 ? [] : toolAtoms(patterns);
  return { permissions, patterns: [...new Set(patterns)], messages: [NONE, ...atoms] };
}

const NONE: McpHeaders = {};

/** The permission that applies to a method and a message, and the callers that it allows. */
interface Taken {
  readonly method: string;
  readonly message: McpHeaders;
  readonly index: number;
  readonly passing: readonly Passing[];
}

function taken({ permissions, messages }: Place, provider: string): readonly Taken[] {
  return MESH_METHODS.flatMap((method) =>
    messages.flatMap((message): readonly Taken[] => {
      const found = permissions.find(
        ({ methods = [method], messages }) =>
          methods.includes(method) && (messages === undefined || isOneOf(messages, message)),
      );
      if (found === undefined || found.action === 'deny') return [];
      return [
        {
          method,
          message,
          index: found.index,
          passing: found.providers?.map((it) => passingOf(it, provider)) ?? [ANYONE],
        },
      ];
    }),
  );
}

/** The tools for callers who may send these messages; undefined: any request. It throws if no tools allow just them. */
function toolsOf({ messages, patterns }: Place, sent: readonly McpHeaders[]): readonly string[] | undefined {
  if (sent.length === messages.length) return undefined;
  const passes = (tools: readonly string[], it: McpHeaders) => refusedTool(tools, it) === undefined;
  const calls = messages.filter(({ method }) => method === CALL);
  const tools = patterns.filter((it) => calls.every((call) => sent.includes(call) || !passes([it], call)));
  if (messages.some((it) => passes(tools, it) !== sent.includes(it))) throw unlike({ Header: sent });
  return tools;
}

/** The rules of permissions for one path: one for each caller, with its methods and tools. */
function rulesAt(source: ReadSource, path: Path, sample: string, provider: string): readonly MeshRule[] {
  const place = placeOf(source, sample);
  const all = taken(place, provider);
  const people = new Map(all.flatMap(({ passing }) => passing.map((it) => [JSON.stringify(it), it] as const)));
  return [...people.values()].flatMap((passing) => {
    const own = all.filter((it) => it.passing.some((wide) => includes(wide, passing)));
    const ways = MESH_METHODS.flatMap((method) => {
      const sent = own.filter((it) => it.method === method).map(({ message }) => message);
      return sent.length === 0 ? [] : [{ method, tools: toolsOf(place, sent) }];
    });
    return [...grouped(ways, ({ tools }) => JSON.stringify([tools])).values()].map((way) => {
      const [{ tools }] = way;
      const used = way.map(({ method }) => method);
      const id = `Permissions[${own.find(({ method }) => used.includes(method))?.index}] of ${source.name}`;
      const rule = { id, route: id, path, ...methodsOf(used) };
      const says = { ...(tools && { tools }), ...passing };
      return meshRule(CONSUL_FILE, rule, { host: serviceHost(source.destination), as: source.name }, says);
    });
  });
}

function rulesOf(source: ReadSource, provider: string): readonly MeshRule[] {
  if (source.action === 'deny') return [];
  if (source.action === 'allow') {
    const id = `Action allow of ${source.name}`;
    const rule = { id, route: id, path: { prefix: '', except: [] } };
    return [meshRule(CONSUL_FILE, rule, { host: serviceHost(source.destination), as: source.name })];
  }
  check(source);
  const regions = regionsOf(source.permissions.flatMap(pathsOf));
  return regions.flatMap(({ path, sample }) => rulesAt(source, path, sample, provider));
}

/** Reads entries of Consul back as rules, reduced to what Consul can express; see {@link ./project.ts}. It ignores
 * entries that are not marked as rendered for the owner.
 * @param files rendered files, or output of `consul config read`, with any names
 * @throws Error for a construct that meshgate does not render */
export function readConsul(files: Files, owner: string = DEFAULT_OWNER): readonly MeshRule[] {
  const sources = sourcesIn(files, owner);
  const closed = new Set(sources.filter(({ name }) => name === EVERYBODY).map(({ destination }) => destination));
  const open = sources.find(({ destination }) => !closed.has(destination));
  if (open !== undefined) {
    throw new Error(
      `service-intentions ${open.destination}: other intentions decide about a source without an intention`,
    );
  }
  return sources.flatMap((source) => rulesOf(source, owner));
}
