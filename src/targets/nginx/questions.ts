import { MAX_QUESTIONS } from '../../limits.ts';
import { isAsked } from '../../rules/client-table.ts';
import { MAX_SIGNIN_BODY_BYTES } from '../../session/limits.ts';
import { GROUPS_PATH, INTROSPECT_PATH } from '../../token/provider-questions.ts';
import { block, commented, type Directive, line, literal } from './directive.ts';
import { bodyBuffer } from './module.ts';
import type { Scene } from './scene.ts';

/** Whether some provider is asked about tokens. */
export const hasQuestions = ({ policy }: Pick<Scene, 'policy'>): boolean =>
  Object.values(policy.providers).some(isAsked);

/** Zones for tokens that are not active, and for tokens that were active before, separate from verified ones: when a
 * zone is full, nginx evicts the entries that expire first. So neither made-up tokens nor a client with a new token in
 * each request displaces verified tokens of others. */
export function questionZones(scene: Scene): readonly Directive[] {
  if (!hasQuestions(scene)) return [];
  return [
    commented(
      'Tokens that a provider called not active.',
      line('js_shared_dict_zone', 'zone=meshgate_inactive:1m', 'type=string', 'timeout=1h', 'evict'),
    ),
    commented(
      'Tokens that were active before, as hashes.',
      line('js_shared_dict_zone', 'zone=meshgate_active:4m', 'type=string', 'timeout=24h', 'evict'),
    ),
  ];
}

const HANDLERS = [
  [INTROSPECT_PATH, 'introspect'],
  [GROUPS_PATH, 'groups'],
] as const;

/** The locations through which the check asks providers: the JavaScript with the client's secret is not loaded by any
 * check. */
export function questionLocations(scene: Scene): readonly Directive[] {
  if (!hasQuestions(scene)) return [];
  return HANDLERS.map(([path, name]) =>
    block(
      'location',
      ['=', literal(path)],
      [
        line('js_import', 'client', 'from', 'client.js'),
        line('js_context_reuse', String(MAX_QUESTIONS)),
        ...bodyBuffer(MAX_SIGNIN_BODY_BYTES),
        line('js_content', `client.${name}`),
      ],
    ),
  );
}
