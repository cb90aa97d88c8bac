import type { Policy } from '../../policy/types.ts';
import type { Rule } from '../../rules/types.ts';
import { partings } from '../partings.ts';
import type { MeshOptions } from '../types.ts';
import { type Entry, entriesOf, keySetOf, planOf } from './entries.ts';
import { entriesIn, isManaged, type LiveEntry, titleOf } from './parse.ts';
import { missing } from './scene.ts';

/** Protocols whose requests a proxy reads. */
const READ = ['http', 'http2', 'grpc'];

/** What Consul fills in. */
const FILLED = ['CreateIndex', 'ModifyIndex', 'Partition', 'Namespace', 'Hash'];

const without = (entry: Readonly<Record<string, unknown>>, keys: readonly string[]) =>
  Object.fromEntries(Object.entries(entry).filter(([key]) => !keys.includes(key)));

/** How the entry of a service, which has much that is no policy, or of who verifies assertions differs. */
function differences(own: Entry, live: LiveEntry): readonly string[] {
  switch (own.Kind) {
    case 'service-intentions':
      // Its sources are proved, whatever their words.
      return isManaged(live) ? [] : ['somebody else wrote it'];
    case 'service-defaults': {
      const { Protocol, MutualTLSMode } = live;
      const protocol = READ.includes(String(Protocol)) ? own.Protocol : Protocol;
      return partings(
        { Protocol: own.Protocol, MutualTLSMode: own.MutualTLSMode },
        { Protocol: protocol, MutualTLSMode },
        '',
      );
    }
    default:
      return partings(own, without(live, FILLED), '');
  }
}

/**
 * How rendered or live entries differ from what the policy renders to, but for what intentions say: those that are
 * missing, changed, or left over.
 */
export function driftOf(
  policy: Policy,
  rules: readonly Rule[],
  options: MeshOptions,
  files: Readonly<Record<string, string>>,
): readonly string[] {
  if (missing(policy, rules) !== undefined) return [];
  const plan = planOf(policy, rules);
  const { assertion } = plan;
  const keys = assertion && keySetOf(policy, assertion, options);
  const own = entriesOf(policy, plan, keys);
  const live = entriesIn(files);
  const found = new Map(live.map((it) => [titleOf(it), it]));
  const titles = new Set(own.map(titleOf));
  const unknown = assertion !== undefined && keys === undefined;
  return [
    ...(unknown ? ['jwt-provider meshgate: nothing says what its keys should be; give --assertion-jwks'] : []),
    ...own.flatMap((entry) => {
      const there = found.get(titleOf(entry));
      const texts = there === undefined ? ['it is not there'] : differences(entry, there);
      return texts.map((text) => `${titleOf(entry)}: ${text}`);
    }),
    ...live
      .filter((it) => isManaged(it) && !titles.has(titleOf(it)) && !(unknown && it.Kind === 'jwt-provider'))
      .map((it) => `${titleOf(it)}: the policy does not render it; it is left over`),
  ];
}
