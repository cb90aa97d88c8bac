import { INTERNAL_NAMES, TO_SERVICE } from '../../base/internal-headers.ts';
import type { Context } from '../nginx/render-context.ts';
import { underscoreSpellings } from '../nginx/route/erase.ts';
import { passesAny } from '../nginx/route/service-credential.ts';
import { hasSessions } from '../nginx/signin/sessions.ts';

/** The headers that describe a decision to a service. */
const about = ({ policy }: Context): readonly string[] => [
  TO_SERVICE.route,
  TO_SERVICE.rule,
  TO_SERVICE.identity,
  TO_SERVICE.erased,
  ...(policy.gateway.assertion ? [TO_SERVICE.assertion] : []),
];

/** The request headers that an ingress sets from the answer to an allowed check. If the answer has no such header, the
 * ingress removes the client's. `Authorization` and `Cookie` are among them, because services receive no credential of
 * the gateway. */
export const answerNames = (context: Context): readonly string[] => [
  ...context.headerNames,
  ...about(context),
  'Authorization',
  ...(hasSessions(context) ? ['Cookie'] : []),
];

/** The names in {@link answerNames} that an answer may have. The others are only removed. */
export const givenNames = (context: Context): readonly string[] =>
  answerNames(context).filter((name) => name !== 'Authorization' || passesAny(context));

/** Other request headers that an ingress must remove: other spellings, headers with which the gateway could be
 * imitated, and the header with the gateway's own token. */
export function removedNames(context: Context): readonly string[] {
  const { credentialHeader } = context.policy.gateway;
  const named = [...context.headerNames, ...Object.values(TO_SERVICE)];
  const all = [
    ...named.flatMap(underscoreSpellings),
    ...INTERNAL_NAMES,
    ...(credentialHeader === undefined ? [] : [credentialHeader, ...underscoreSpellings(credentialHeader)]),
    'DPoP',
  ];
  const seen = new Set(answerNames(context).map((name) => name.toLowerCase()));
  return all.filter((name) => !seen.has(name.toLowerCase()) && seen.add(name.toLowerCase()));
}

/** Response headers that an ingress should add to the answer of the service. */
export const responseNames = (context: Context): readonly string[] => [
  ...(hasSessions(context) ? ['Set-Cookie'] : []),
  ...(context.policy.gateway.proof?.nonce ? ['DPoP-Nonce'] : []),
];
