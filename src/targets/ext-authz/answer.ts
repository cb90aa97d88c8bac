import { INTERNAL_NAMES, TO_SERVICE } from '../../base/internal-headers.ts';
import { underscoreSpellings } from '../nginx/route/erase.ts';
import { passesAny } from '../nginx/route/service-credential.ts';
import type { Scene } from '../nginx/scene.ts';
import { hasSessions } from '../nginx/signin/sessions.ts';

/** The headers that describe a decision to a service. */
const about = ({ policy }: Scene): readonly string[] => [
  TO_SERVICE.route,
  TO_SERVICE.rule,
  TO_SERVICE.identity,
  TO_SERVICE.erased,
  ...(policy.gateway.assertion ? [TO_SERVICE.assertion] : []),
];

/** The request headers that an ingress sets from the answer to an allowed check. If the answer has no such header, the
 * ingress removes the client's. `Authorization` and `Cookie` are among them, because services receive no credential of
 * the gateway. */
export const answerNames = (scene: Scene): readonly string[] => [
  ...scene.headerNames,
  ...about(scene),
  'Authorization',
  ...(hasSessions(scene) ? ['Cookie'] : []),
];

/** The names in {@link answerNames} that an answer may have. The others are only removed. */
export const givenNames = (scene: Scene): readonly string[] =>
  answerNames(scene).filter((name) => name !== 'Authorization' || passesAny(scene));

/** Other request headers that an ingress must remove: other spellings, headers with which the gateway could be
 * imitated, and the header with the gateway's own token. */
export function removedNames(scene: Scene): readonly string[] {
  const { credentialHeader } = scene.policy.gateway;
  const named = [...scene.headerNames, ...Object.values(TO_SERVICE)];
  const all = [
    ...named.flatMap(underscoreSpellings),
    ...INTERNAL_NAMES,
    ...(credentialHeader === undefined ? [] : [credentialHeader, ...underscoreSpellings(credentialHeader)]),
    'DPoP',
  ];
  const seen = new Set(answerNames(scene).map((name) => name.toLowerCase()));
  return all.filter((name) => !seen.has(name.toLowerCase()) && seen.add(name.toLowerCase()));
}

/** Response headers that an ingress should add to the answer of the service. */
export const responseNames = (scene: Scene): readonly string[] => [
  ...(hasSessions(scene) ? ['Set-Cookie'] : []),
  ...(scene.policy.gateway.proof?.nonce ? ['DPoP-Nonce'] : []),
];
