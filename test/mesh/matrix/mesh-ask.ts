import type { Policy } from '../../../src/policy/checked/types.ts';
import type { Assertions } from './assertions.ts';
import type { Connection, Reply, RequestSent } from './connection.ts';
import { queriedService, spiffeOf, type View } from './expect.ts';
import type { Identities } from './identities.ts';
import { mcpHeaders } from './messages.ts';
import type { Answer, Cell } from './types.ts';

/** A client's own copies of headers that only the mesh may set. */
const FORGED = 'By=forged;URI=spiffe://forged.test/x';

/** The parameters for sending cells to a layer of a mesh. */
export interface Presenter {
  readonly view: View;
  readonly identities: Identities;
  /** CA of the side's own certificate. */
  readonly ca: string;
  readonly assertions: Assertions;
  /** Seconds ago that an expired assertion expired: just more than this side allows. */
  readonly expiredFor: number;
}

function assertionOf(policy: Policy) {
  const { assertion } = policy.gateway;
  if (assertion === undefined) throw new Error('the policy has no assertion');
  return assertion;
}

async function queryOf(cell: Cell, { view, assertions, expiredFor }: Presenter): Promise<RequestSent> {
  const { method, path, authority, credential } = cell;
  const asserted = credential && (await assertions.of(assertionOf(view.policy), credential, expiredFor));
  const headers = {
    Host: authority,
    'X-Forwarded-Client-Cert': FORGED,
    ...mcpHeaders(cell.mcp),
    ...(asserted !== undefined && { 'X-Meshgate-Assertion': asserted }),
  };
  return { method, path, headers };
}

/** Whether the service received the connecting identity from the mesh, and not from the client, and the assertion. */
function sawRight(cell: Cell, query: RequestSent, { seen, answered }: Reply, view: View): Answer {
  if (answered !== queriedService(cell, view)) return `wrong: ${answered} answered`;
  const certs = seen['x-forwarded-client-cert'] ?? [];
  // A sidecar adds its own observation to that of the ingress, which it trusts.
  const cert = view.layer === 'workload' ? (certs[0] ?? '').replace(/^By=forged[^,]*,/, '') : (certs[0] ?? '');
  if (certs.length !== 1 || /forged|,/.test(cert) || !cert.includes(`URI=${spiffeOf(cell, view)}`)) {
    return 'wrong: the service saw another certificate';
  }
  const sent = query.headers['X-Meshgate-Assertion'];
  const [assertion, ...more] = seen['x-meshgate-assertion'] ?? [];
  if (assertion !== sent || more.length > 0) return 'wrong: the service saw another assertion';
  return 'allowed';
}

/** Envoy answers 403 to an assertion for another service, as the rules do. */
const isAudience = ({ body }: Reply): boolean => body.startsWith('Audiences in Jwt are not allowed');

const STATUS: Readonly<Record<number, Answer>> = {
  400: 'refused: path',
  401: 'refused: credential',
  403: 'refused: rules',
  404: 'refused: rules',
};

/** Sends one cell to a layer of a mesh. */
export async function askMesh(cell: Cell, connection: Pick<Connection, 'ask'>, presenter: Presenter): Promise<Answer> {
  const client = await presenter.identities.of(cell.connects);
  const query = await queryOf(cell, presenter);
  const reply = await connection.ask(client, query);
  if (reply === 'no connection') return 'refused: connection';
  if (reply.answered !== undefined) return sawRight(cell, query, reply, presenter.view);
  if (isAudience(reply)) return 'refused: credential';
  return STATUS[reply.status] ?? `wrong: ${reply.status} ${reply.body.slice(0, 80)}`;
}
