import { HEALTH_TIMEOUT_MS, SVIDS_JOB_INTERVAL_S } from '../../limits.ts';
import { toWatched } from '../../rules/watched.ts';
import { block, commented, type Directive, line, literal, row } from './directive.ts';
import { included } from './files.ts';
import type { Scene } from './scene.ts';

/** The socket for the health command of the image. */
export const HEALTH_SOCKET = 'health.sock';

/** The number of files that the health check watches: files of identities, and CAs for certificates of services or
 * clients. */
const watchedFiles = ({ policy, identities }: Scene): number => {
  const { ca = [], clientCa = [] } = toWatched(policy, identities, '');
  return identities.length + ca.length + clientCa.length;
};

/** The zone for the results. Each file or pair of files takes one kilobyte. */
function zone(scene: Scene): readonly Directive[] {
  const files = watchedFiles(scene);
  if (files === 0) return [];
  return [line('js_shared_dict_zone', `zone=meshgate_svids:${Math.max(64, 32 + files)}k`, 'type=string')];
}

/** The job that checks the files. */
const watch: Directive = block(
  'location',
  ['@meshgate_svids'],
  [line('js_periodic', 'health.svids', `interval=${SVIDS_JOB_INTERVAL_S}s`)],
);

/** The health server. It has its own JavaScript, so that the checks of requests do not load it. */
export function healthServer(scene: Scene): readonly Directive[] {
  const { health } = scene.policy.gateway;
  return [
    ...zone(scene),
    commented(
      'Health. Do not expose it: it shows more than strangers should know.',
      block(
        'server',
        [],
        [
          line('listen', literal(`unix:${scene.options.runDir}/${HEALTH_SOCKET}`)),
          ...(health === undefined ? [] : [line('listen', literal(health))]),
          included(scene, 'inside.conf'),
          line('js_import', 'health', 'from', 'health.js'),
          ...row([line('js_fetch_timeout', `${HEALTH_TIMEOUT_MS}ms`), line('default_type', 'text/plain')]),
          block('location', ['=', literal('/.meshgate/healthz')], [line('return', '200', 'ok')]),
          block('location', ['=', literal('/.meshgate/readyz')], [line('js_content', 'health.ready')]),
          ...(watchedFiles(scene) > 0 ? [watch] : []),
        ],
      ),
    ),
  ];
}
