import { HEALTH_TIMEOUT_MS, SVIDS_JOB_INTERVAL_S } from '../../limits.ts';
import { block, commented, type Directive, line, literal } from './directive.ts';
import { apart, nothingElse } from './inner.ts';
import type { Scene } from './scene.ts';

/** Where the command of the image asks. */
export const HEALTH_SOCKET = 'health.sock';

/** Whether there is any file to watch: an identity's, or a CA of certificates of services or clients. */
const watches = ({ identities, policy }: Scene): boolean =>
  identities.length > 0 || [policy.gateway.inner, ...policy.hosts].some((it) => it?.clientCaFile !== undefined);

/** The zone that holds what was found of each identity's files: a kilobyte for each. */
function zone(scene: Scene): readonly Directive[] {
  if (!watches(scene)) return [];
  const { identities } = scene;
  const size = Math.max(64, 32 + identities.length);
  return [line('js_shared_dict_zone', `zone=meshgate_svids:${size}k`, 'type=string')];
}

/** The job that watches the files. */
const watch: Directive = block(
  'location',
  ['@meshgate_svids'],
  [line('js_periodic', 'health.svids', `interval=${SVIDS_JOB_INTERVAL_S}s`)],
);

/** Health: a server of its own, with JavaScript of its own that no check carries along. */
export function healthServer(scene: Scene): readonly Directive[] {
  const { health } = scene.policy.gateway;
  return [
    ...zone(scene),
    commented(
      'Health, for the inside only: it says more than strangers should know.',
      block(
        'server',
        [],
        [
          line('listen', literal(`unix:${scene.options.runDir}/${HEALTH_SOCKET}`)),
          ...(health === undefined ? [] : [line('listen', literal(health))]),
          line('js_engine', 'qjs'),
          line('js_import', 'health', 'from', 'health.js'),
          ...apart,
          line('access_log', 'off'),
          line('underscores_in_headers', 'off'),
          line('js_fetch_timeout', `${HEALTH_TIMEOUT_MS}ms`),
          line('default_type', 'text/plain'),
          block('location', ['=', literal('/.meshgate/healthz')], [line('return', '200', 'ok')]),
          block('location', ['=', literal('/.meshgate/readyz')], [line('js_content', 'health.ready')]),
          ...(watches(scene) ? [watch] : []),
          nothingElse,
        ],
      ),
    ),
  ];
}
