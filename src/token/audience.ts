import type { TokenProvider } from './types.ts';

/**
 * A provider as a route takes its tokens that has audiences of its own (RFC 8707): those stand in the place of the
 * provider's, so that a token for another resource is none here, and one for this is none elsewhere.
 */
export function forResource(provider: TokenProvider, audiences: readonly string[]): TokenProvider {
  const { anyAudience: _, ...rest } = provider;
  return { ...rest, audiences };
}
