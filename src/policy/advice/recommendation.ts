import type { At, Policy, Route, Service } from '../checked/types.ts';
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
