import { jwksUri } from '../../assertion/published.ts';
import { TO_SERVICE } from '../../internal-headers.ts';
import type { Assertion } from '../../policy/types.ts';
import { istioObject, type KubeObject, type Metadata, selector } from './objects.ts';
import type { Scene } from './scene.ts';

/**
 * How the assertion is verified. A bad one is refused; none at all passes here, and is left to the rules, since
 * `anyone` needs none.
 */
export function requestAuthentication(
  meta: Metadata,
  labels: Readonly<Record<string, string>>,
  { jwks }: Pick<Scene, 'jwks'>,
  assertion: Assertion,
  audiences: readonly string[],
): KubeObject {
  return istioObject('RequestAuthentication', meta, {
    ...selector(labels),
    jwtRules: [
      {
        issuer: assertion.issuer,
        audiences,
        ...(jwks === undefined ? { jwksUri: jwksUri(assertion) } : { jwks }),
        fromHeaders: [{ name: TO_SERVICE.assertion }],
        forwardOriginalToken: true,
      },
    ],
  });
}
