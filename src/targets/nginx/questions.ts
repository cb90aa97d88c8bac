import { ANSWERS_BYTES_PER_PROVIDER, MAX_QUESTIONS } from '../../limits.ts';
import { isAsked } from '../../rules/client-table.ts';
import { MAX_SIGNIN_BODY_BYTES } from '../../session/limits.ts';
import { GROUPS_PATH, INTROSPECT_PATH } from '../../token/provider-questions.ts';
import { block, commented, type Directive, line, literal } from './directive.ts';
import { bodyBuffer } from './module.ts';
import type { Scene } from './scene.ts';

/** The number of providers that the gateway asks about tokens. */
const askedOf = ({ policy }: Pick<Scene, 'policy'>): number => Object.values(policy.providers).filter(isAsked).length;

/** Whether the gateway asks at least one provider about tokens. */
export const hasQuestions = (scene: Pick<Scene, 'policy'>): boolean => askedOf(scene) > 0;

/** The size in kilobytes of the zone with responses about tokens. */
const answersSize = (scene: Scene): number => (askedOf(scene) * ANSWERS_BYTES_PER_PROVIDER) >> 10;

/** The zones for introspection: what providers said about tokens, which tokens are not active, and which were active
 * before. They are separate from the zone of verified tokens. If a zone is full, nginx first evicts the entries that
 * would expire first. So neither invented tokens nor a client with a new token in each request can evict the verified
 * tokens of others. */
export function questionZones(scene: Scene): readonly Directive[] {
  if (!hasQuestions(scene)) return [];
  return [
    commented(
      'What providers answered about tokens.',
      line('js_shared_dict_zone', `zone=meshgate_answers:${answersSize(scene)}k`, 'type=string', 'timeout=1h', 'evict'),
    ),
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

/** The locations through which the check asks providers. Only they load the JavaScript with the client's secret, so
 * that no check does. */
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
