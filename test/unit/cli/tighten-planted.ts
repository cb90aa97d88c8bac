import { lineText } from '../audit/logged.ts';

/** A rule of the planted policy. Each rule has a role of its own, so the role alone says which rule allows a request. */
interface PlantedRule {
  readonly role: string;
  readonly agent?: string;
  readonly methods: readonly string[];
}
type Routes = Record<string, PlantedRule[]>;
type Hosts = Record<string, Routes>;

/** A policy with grants that no request of its log uses. */
export interface Planted {
  /** The file, with comments. */
  readonly file: string;
  readonly lines: readonly string[];
  /** The hosts of the policy without the planted grants: for each rule, its name and methods. */
  readonly tight: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
  readonly planted: number;
  /** The comments of the rules that stay. */
  readonly comments: readonly string[];
}

const METHODS = ['GET', 'POST', 'PUT', 'DELETE'];

/** Returns numbers below a limit, always the same for a seed. */
export function numbers(seed: number): (below: number) => number {
  let state = seed * 2654435761 + 1;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const nameOf = ({ role, agent }: PlantedRule): string => (agent === undefined ? role : `agent ${agent}`);
const ruleName = (rule: PlantedRule): string => `${nameOf(rule)} ${[...rule.methods].sort().join(' ')}`;
const commentOf = (rule: PlantedRule, path: string): string => `# ${nameOf(rule)} at ${path}: why`;

function routeText(path: string, rules: readonly PlantedRule[], isFlow: boolean): string {
  const text = (rule: PlantedRule) =>
    `{ ${rule.agent === undefined ? `role: ${rule.role}` : `agent: ${rule.agent}`}, methods: [${rule.methods.join(', ')}] }`;
  if (isFlow) return `    ${path}: { service: wiki, allow: [${rules.map(text).join(', ')}] }\n`;
  const block = (rule: PlantedRule) =>
    `        - ${rule.agent === undefined ? `role: ${rule.role}` : `agent: ${rule.agent}`} ${commentOf(rule, path)}\n          methods:\n${rule.methods.map((it) => `            - ${it}\n`).join('')}`;
  return `    ${path}:\n      service: wiki\n      allow:\n${rules.map(block).join('')}`;
}

/** Plants twenty unused grants in a policy: a host, routes, rules of roles and agents, and methods. */
export function planted(seed: number): Planted {
  const next = numbers(seed);
  const take = <T>(from: T[]): T => from.splice(next(from.length), 1)[0] as T;
  const hosts: Hosts = {};
  for (let h = 0; h < 4; h++) {
    const routes: Routes = {};
    for (let r = 0; r < 4; r++) {
      const own = Array.from({ length: 4 }, (_, i): PlantedRule => ({ role: `h${h}r${r}-${i}`, methods: METHODS }));
      routes[r % 2 === 0 ? `/p${r}` : `/p${r}/*`] = [
        ...own,
        { role: own[0]!.role, agent: `bot-h${h}r${r}`, methods: ['GET'] },
      ];
    }
    hosts[`h${h}.example.com`] = routes;
  }
  const names = Object.keys(hosts);
  const unusedHost = take(names);
  const places = names.flatMap((host) => Object.keys(hosts[host]!).map((path) => [host, path] as const));
  const unusedRoutes = Array.from({ length: 4 }, () => take(places).join(''));
  const rules = places.flatMap(([host, path]) => hosts[host]![path]!.map((_, i) => [host, path, i] as const));
  // The first rule of each route stays, because the agents act for its role.
  const removable = rules.filter(([, , i]) => i > 0);
  const unusedRules = Array.from({ length: 9 }, () => take(removable).join(' '));
  const withMethods = removable.filter(([, , i]) => i < 4);
  const unusedMethods = new Map(
    Array.from({ length: 6 }, () => [take(withMethods).join(' '), METHODS[next(4)]!] as const),
  );

  const lines: string[] = [];
  const tight: Record<string, Record<string, string[]>> = {};
  const comments: string[] = [];
  const roles = new Set<string>();
  let file = '';
  for (const [host, routes] of Object.entries(hosts)) {
    file += `  ${host}: # the host ${host}\n`;
    for (const [path, own] of Object.entries(routes)) {
      const isFlow = next(2) === 0;
      file += routeText(path, own, isFlow);
      for (const { role } of own) roles.add(role);
      if (host === unusedHost || unusedRoutes.includes(host + path)) continue;
      for (const [i, rule] of own.entries()) {
        const key = [host, path, i].join(' ');
        if (unusedRules.includes(key)) continue;
        const used = rule.methods.filter((method) => method !== unusedMethods.get(key));
        tight[host] = {
          ...tight[host],
          [path]: [...(tight[host]?.[path] ?? []), ruleName({ ...rule, methods: used })],
        };
        if (!isFlow) comments.push(commentOf(rule, path));
        for (const method of used) {
          lines.push(
            lineText({
              ...{ 'server.address': host, 'url.path': path.replace('/*', '/x'), 'http.route': host + path },
              ...{ 'http.request.method': method, 'user.roles': rule.role, 'meshgate.rule': `${host}${path}#${i + 1}` },
              ...{ 'meshgate.identity': '', 'meshgate.agent': rule.agent ?? '', 'meshgate.alone': '' },
            }),
          );
        }
      }
    }
  }
  const agents = Object.entries(hosts).flatMap(([, routes]) => Object.values(routes).map((own) => own.at(-1)!));
  const text = `# The policy of the wiki.
version: 1
gateway: { insecure_http: true }
providers:
  okta: { issuer: https://login.example.com, audiences: [wiki] }
roles:
${[...roles].map((role) => `  ${role}: { group: ${role} }\n`).join('')}agents: # they act for people
${agents.map((it) => `  ${it.agent}: { match: { client_id: ${it.agent} }, acts_for: [${it.role}], bound: none }\n`).join('')}services:
  wiki: { insecure_url: "http://wiki:8080" }
hosts:
${file}`;
  return { file: text, lines, tight, planted: 1 + 4 + 9 + 6, comments };
}
