import { ACTED } from '../../../policy/check/routes/response-headers.ts';
import { METADATA_PATH } from '../../../rules/decide/resource.ts';
import { allHosts, type Context } from '../../nginx/render-context.ts';
import { erasedNames } from '../../nginx/route/erase.ts';
import type { Files, Gap } from '../../types.ts';
import { answerNames, removedNames } from '../check-answer.ts';

/** What the files for all ingresses are made from. */
export interface CheckInput {
  readonly context: Context;
  /** Where the ingress reaches the sidecar. */
  readonly sidecar: Machine;
  /** The request headers of the client that the sidecar reads. */
  readonly read: readonly string[];
}

interface Machine {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
}

/** The files for one kind of ingress, and what it does not do for the policy. */
export interface IngressFiles {
  readonly files: Files;
  readonly gaps: readonly Gap[];
}

export const urlOf = ({ host, port, tls }: Machine): string => `http${tls ? 's' : ''}://${host}:${port}`;

/** The path of everything that people and clients request from the gateway itself. */
export const GATEWAY_PATH = '/.meshgate/';
export { METADATA_PATH };

/** Whether a host has endpoints of the gateway. */
export const ownHosts = ({ context }: CheckInput): readonly string[] => allHosts(context).map(({ host }) => host.name);

/** Request headers that applications trust, although no policy names them: of a client, none of them reaches a service.
 * The check reads none of them. */
export function trustedNames(context: Context): readonly string[] {
  const own = [...KEPT, ...answerNames(context), ...removedNames(context)].map((name) => name.toLowerCase());
  return erasedNames(context.headerNames).filter((name) => !own.includes(name.toLowerCase()));
}

/** All request headers that an ingress removes whatever the answer says. */
export const erasedBy = (context: Context): readonly string[] => [...removedNames(context), ...trustedNames(context)];

/** Response headers that the gateway or the ingress sends itself. */
const SENT: readonly string[] = ['Strict-Transport-Security', 'Traceresponse'];

/** Response headers that an ingress removes from answers of services, because browsers act on them beyond the answer. */
export function closedNames({ policy }: Context): readonly string[] {
  const opened = Object.values(policy.services).flatMap(({ responseHeaders = [] }) => responseHeaders);
  const open = new Set([...SENT, ...opened].map((name) => name.toLowerCase()));
  return [...ACTED, 'Clear-Site-Data'].filter((name) => !open.has(name.toLowerCase()));
}

/** Headers that the ingress sets itself, and that the gateway would set too. */
const KEPT: readonly string[] = [
  ...['x-real-ip', 'x-request-id', 'traceparent', 'tracestate', 'upgrade', 'connection', 'host', 'cookie'],
  ...['x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'x-forwarded-port'],
];

/** The name of a file for an ingress. */
export const fileOf = (name: string): string => `ingress/${name}`;
