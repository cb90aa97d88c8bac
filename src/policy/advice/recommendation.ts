import type { At, Policy, Provider, Route, Service } from '../checked/types.ts';
import { everyFact } from '../facts/walk.ts';
import { OBJECT_ID } from '../forms/addresses.ts';
import { quote } from '../forms/path.ts';
import { TRUSTED } from '../trusted/index.ts';

/** A recommendation for a policy that is valid without it. */
export interface Advice {
  readonly at: At;
  readonly path: string;
  readonly text: string;
}

/** Request headers of browsers and scripts that most services read. */
const USUAL = '[Accept, Accept-Encoding, Accept-Language, Cookie, Referer, User-Agent]';

/** The last words in names of identity headers. */
const ENDINGS = ['User', 'Username', 'Email', 'Name', 'Group', 'Groups', 'Role', 'Roles'];

const ROWS = Object.values(TRUSTED).flat();

function receivedBy(service: Service, { hosts }: Policy): readonly string[] {
  const routes = hosts.flatMap((host) => host.routes).filter((route) => leadsTo(route, service));
  return [...new Set(routes.flatMap(({ headers }) => Object.keys(headers)))];
}

/** Whether callers of a route can reach a service. */
export const leadsTo = ({ service, allow }: Route, { name }: Service): boolean =>
  [service, ...allow.map((rule) => rule.service)].includes(name);

const familyOf = (name: string): string | undefined =>
  ROWS.flatMap(({ family }) => family ?? []).find((family) =>
    name.toLowerCase().startsWith(family.slice(0, -1).toLowerCase()),
  );

/** Names that differ only in the last word, such as `X-Team-Groups` for `X-Team-User`. */
function siblings(name: string): readonly string[] {
  const stem = name.slice(0, Math.max(0, name.lastIndexOf('-')));
  return /^(|x)$/i.test(stem) ? [] : ENDINGS.map((ending) => `${stem}-${ending}`);
}

function adviceFor(service: Service, policy: Policy, closed: ReadonlySet<string>): string | undefined {
  const received = receivedBy(service, policy);
  const family = received.find((name) => familyOf(name) !== undefined);
  if (family !== undefined) {
    return `it receives ${family}, but nginx erases only the documented names of ${familyOf(family)}; write request_headers: ${USUAL} and the other headers that its clients send`;
  }
  const open = [...new Set(received.flatMap(siblings))].filter((name) => !closed.has(name.toLowerCase()));
  if (open.length === 0) return undefined;
  return `it may read ${open.join(', ')} from clients, because the policy does not send them; write request_headers: ${USUAL} and the other headers that its clients send, or send these headers too`;
}

/** Advice for services that may trust request headers which nginx does not erase. */
export function headerAdvice(policy: Policy): readonly Advice[] {
  const set = policy.hosts.flatMap(({ routes }) => routes.flatMap(({ headers }) => Object.keys(headers)));
  const closed = new Set([...set, ...ROWS.flatMap(({ names }) => names)].map((name) => name.toLowerCase()));
  return Object.values(policy.services).flatMap((service) => {
    // nginx passes all metadata of gRPC calls, so `request_headers` would have no effect.
    if (service.requestHeaders !== undefined || service.protocol === 'grpc') return [];
    const text = adviceFor(service, policy, closed);
    return text === undefined ? [] : [{ at: service.at, path: `services.${service.name}`, text }];
  });
}

/** Advice for roles by the display name of a group of Entra ID, whose tokens have ids of groups unless the application is
 * configured to have names. */
export function groupAdvice({ roles, providers }: Policy): readonly Advice[] {
  const [only, ...others] = Object.keys(providers);
  return Object.values(roles).flatMap(({ name, fact }) =>
    everyFact(fact).flatMap((it) => {
      if (it.op !== 'group' || OBJECT_ID.test(it.value)) return [];
      const provider = it.provider ?? (others.length === 0 ? only : undefined);
      if (provider === undefined || providers[provider]?.kind !== 'entra') return [];
      const text = `tokens of Entra ID have the object ids of groups, and ${quote(it.value)} is not an object id; write the id, as in { group: 9c2a5f1d-3b7e-4f0a-8d6c-1e5b7a9c0d2e }, unless the application is configured to emit names`;
      return [{ at: it.at, path: `roles.${name}`, text }];
    }),
  );
}

/** The providers whose callers can reach a service, in the order of the policy. */
function providersOf(service: Service, { hosts, providers }: Policy): readonly Provider[] {
  const brings = (route: Route) => route.accept.some((it) => it !== 'certificate') && leadsTo(route, service);
  const names = hosts.filter(({ routes }) => routes.some(brings)).flatMap((host) => host.providers);
  return Object.values(providers).filter((provider) => names.includes(provider.name));
}

/** Whether two providers can give the same name to two people. With one issuer, both have the same people. */
function areMixed(one: Provider, other: Provider): boolean {
  const [a, b] = [one.subject.prefix, other.subject.prefix];
  return one.issuer !== other.issuer && (a.startsWith(b) || b.startsWith(a));
}

/** Advice for services with callers of several providers through several hosts. On one host, this is an error. */
export const subjectAdvice = (policy: Policy): readonly Advice[] =>
  Object.values(policy.services).flatMap((service) => {
    const all = providersOf(service, policy);
    const one = all.find((it, index) => all.slice(index + 1).some((other) => areMixed(it, other)));
    const other = one && all.find((it) => it !== one && areMixed(one, it));
    if (one === undefined || other === undefined) return [];
    const text = `this service cannot distinguish the subject ann of ${one.name} from the subject ann of ${other.name}; write subject: { prefix: ${one.name}- } and ${other.name}- for these providers, or give each of their hosts a service of its own`;
    return [{ at: service.at, path: `services.${service.name}`, text }];
  });
