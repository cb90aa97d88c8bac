import type { Neutral } from '../kit/compare.ts';
import type { Entry } from './entries.ts';

/** Top-level members of an entry that change no decision. All of them have the same reason. */
export const neutral = (why: string, ...names: readonly string[]): readonly Neutral[] =>
  names.map((name) => ({ path: [name], why }));

/** Members that Consul adds. */
export const CONSUL_NEUTRAL: readonly Neutral[] = [
  ...neutral('Consul counts by it, and no proxy reads it', 'CreateIndex', 'ModifyIndex', 'Hash'),
  ...['Partition', 'Namespace'].map(
    (name): Neutral => ({ path: [name], values: ['default'], why: 'the only one that the policy is rendered for' }),
  ),
];

const ASKING = 'says how the service asks others, and not who may ask it';
const TIMES = 'says how long and how many, and not who may ask';

/** Members of a service's entry that decide nothing. */
const DEFAULTS: readonly Neutral[] = [
  ...CONSUL_NEUTRAL,
  ...neutral('for people', 'Meta'),
  ...neutral(ASKING, 'UpstreamConfig', 'MeshGateway', 'ExternalSNI', 'Mode', 'TransparentProxy'),
  ...neutral(TIMES, 'LocalConnectTimeoutMs', 'LocalRequestTimeoutMs'),
  ...neutral(TIMES, 'MaxInboundConnections', 'BalanceInboundConnections'),
  { path: ['Protocol'], values: ['http', 'http2', 'grpc'], why: 'proxies read the requests of each' },
];

const PROVED: readonly Neutral[] = [
  { path: ['Sources'], why: 'they are read back as rules, and proved', proved: true },
];

/** Members of a live entry that change no decision, or that a reader proves. */
export function neutralOf({ Kind }: Entry): readonly Neutral[] {
  if (Kind === 'service-defaults') return DEFAULTS;
  return Kind === 'service-intentions' ? [...CONSUL_NEUTRAL, ...PROVED] : CONSUL_NEUTRAL;
}
