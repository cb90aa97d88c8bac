import type { Allow, Host, Policy, Route, Who } from '../../../src/policy/checked/types.ts';
import { AGENTS, IDENTITIES, ROLES, SERVICES } from './arbitrary.ts';

/** Random changes to a policy, fixed by a seed: single ones that have a meaning, and rewritings that have none. */

/** Random numbers below a bound. */
export type Chance = (below: number) => number;

/** mulberry32. */
export function chance(seed: number): Chance {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

const pick = <T>(from: readonly T[], random: Chance): T => from[random(from.length)] as T;

const WHOS: readonly Who[] = [
  ...AGENTS,
  { kind: 'anyone' },
  { kind: 'authenticated' },
  ...ROLES.map((role): Who => ({ kind: 'role', role })),
];

function rename(route: Route, path: string): Route {
  return { ...route, path, name: route.host + (route.kind === 'exact' ? path : `${path}/*`) };
}

const METHODS = ['GET', 'POST', 'DELETE', 'PUT'];

/** The possible changes of one rule. */
const allowChanges: Readonly<Record<string, (allow: Allow, random: Chance) => Allow>> = {
  'another caller': (allow, random) => ({ ...allow, who: pick(WHOS, random) }),
  'another identity': (allow) => ({ ...allow, as: IDENTITIES.find((it) => it !== allow.as) as string }),
  'a service of its own': (allow) => ({ ...allow, service: allow.service === 'wiki' ? 'dashboard' : 'wiki' }),
  'a method more or less': ({ methods, ...allow }, random) => {
    const method = pick(METHODS, random);
    if (methods === undefined) return { ...allow, methods: METHODS.filter((it) => it !== method) };
    const changed = methods.includes(method) ? methods.filter((it) => it !== method) : [...methods, method];
    return changed.length === 0 ? allow : { ...allow, methods: changed };
  },
};

function changeRule(change: (allow: Allow, random: Chance) => Allow) {
  return (route: Route, random: Chance): Route => {
    const index = random(route.allow.length);
    return { ...route, allow: route.allow.map((allow, i) => (i === index ? change(allow, random) : allow)) };
  };
}

/** The possible changes of one route; undefined: it is removed. */
const routeChanges: Readonly<Record<string, (route: Route, random: Chance) => Route | undefined>> = {
  ...Object.fromEntries(Object.entries(allowChanges).map(([name, change]) => [name, changeRule(change)])),
  'another service': (route) => ({ ...route, service: SERVICES.find((it) => it !== route.service) as string }),
  'another path': (route, random) => rename(route, `${route.path === '/' ? '' : route.path}/moved${random(3)}`),
  'a rule less': (route, random) => {
    const index = random(route.allow.length);
    return route.allow.length === 1 ? undefined : { ...route, allow: route.allow.filter((_, i) => i !== index) };
  },
  'a rule more': (route, random) => ({
    ...route,
    allow: [...route.allow, { ...pick(route.allow, random), who: pick(WHOS, random) }],
  }),
  'two rules in another order': (route) => ({ ...route, allow: [...route.allow].reverse() }),
  'a route less': () => undefined,
};

export const CHANGES = Object.keys(routeChanges);

export interface Changed {
  readonly policy: Policy;
  /** The route before and after. */
  readonly routes: readonly Route[];
}

/** Makes one change of a kind, somewhere. */
export function plant(policy: Policy, kind: string, random: Chance): Changed {
  const h = random(policy.hosts.length);
  const host = policy.hosts[h] as Host;
  const r = random(host.routes.length);
  const old = host.routes[r] as Route;
  const fresh = (routeChanges[kind] as (typeof routeChanges)[string])(old, random);
  const routes = host.routes.flatMap((route, i) => (i !== r ? [route] : fresh === undefined ? [] : [fresh]));
  const hosts = policy.hosts.flatMap((it, i) => (i !== h ? [it] : routes.length === 0 ? [] : [{ ...it, routes }]));
  return { policy: { ...policy, hosts }, routes: fresh === undefined ? [old] : [old, fresh] };
}

/** One rule for each method, and the last rule twice. */
function split(allow: readonly Allow[]): Allow[] {
  const each = allow.flatMap((one): Allow[] => one.methods?.map((method) => ({ ...one, methods: [method] })) ?? [one]);
  return [...each, each.at(-1) as Allow];
}

/** A path of a prefix route, written as its own route. */
function carveOut(route: Route): Route[] {
  if (route.kind === 'exact') return [route];
  return [route, rename({ ...route, kind: 'exact' }, `${route.path}/carved`)];
}

/** The same policy in other words. */
export function rewrite(policy: Policy): Policy {
  const hosts = [...policy.hosts].reverse().map(
    (host): Host => ({
      ...host,
      routes: [...host.routes]
        .reverse()
        .flatMap(carveOut)
        .map((route) => ({ ...route, allow: split(route.allow) })),
    }),
  );
  return { ...policy, hosts };
}
