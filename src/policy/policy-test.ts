import * as z from 'zod';
import { reasons } from '../reasons.ts';
import * as a from './addresses.ts';
import type { At } from './at.ts';
import { hints } from './hints.ts';
import { mapping, named } from './mapping.ts';
import { type Message, parseMessage, toolCall } from './message.ts';
import * as s from './scalars.ts';
import { oneCertificateName } from './workload-names.ts';

type Method = (typeof s.METHODS)[number];

const urls = Object.fromEntries(
  s.METHODS.map((method) => [method, a.testUrl.describe('URL of a request with this method.').optional()]),
) as Record<Method, z.ZodOptional<typeof a.testUrl>>;

const EXPECTED = ['allowed', ...Object.keys(reasons)] as [string, ...string[]];

export const test = z
  .strictObject({
    as: z
      .union([
        z.enum(['nobody']),
        mapping({
          roles: z
            .array(s.reference('role'))
            .register(hints, { what: 'a list of roles', write: '[staff]' })
            .describe('A caller with exactly these roles.')
            .optional(),
          agent: s.reference('agent').describe('The agent that acts for them, or alone.').optional(),
          provider: s.reference('provider').describe('Provider of the token.').optional(),
          claims: z
            .record(z.string(), z.unknown())
            .register(hints, { what: 'a mapping of claims', write: '{ sub: ann, groups: [staff] }' })
            .describe('Claims of the token, or of the session.')
            .optional(),
          signed_in: s.seconds.describe('How long ago they signed in (claim auth_time).').optional(),
          network: a.address.describe('The address of the client.').optional(),
          certificate: oneCertificateName.describe('The name in the certificate that they show.').optional(),
        }),
      ])
      .register(hints, { what: 'a caller', write: 'nobody, { roles: [staff] } or { provider: okta, claims: { … } }' })
      .describe('The caller.'),
    ...urls,
    tool: s.toolName.describe('The MCP tool that the request calls, by the headers of SEP-2243.').optional(),
    mcp: s.mcpMessage.describe('The MCP message of the request, by these headers: METHOD, or METHOD:NAME.').optional(),
    expect: z.enum(EXPECTED).describe('allowed, or the reason why not.'),
  })
  .register(hints, {
    what: 'a test',
    write: '{ as: { roles: [staff] }, GET: https://wiki.example.com/x, expect: allowed }',
  })
  .describe('One request and the expected decision.');

type SaidOfTest = z.output<typeof test>;
type SaidOfCaller = Exclude<SaidOfTest['as'], string>;

/** The properties of a request besides its token: the client's address, and the name in the client's certificate. */
export type AskedFrom = Pick<SaidOfCaller, 'network' | 'certificate'>;

export interface PolicyTest {
  /** The caller. `nobody`: an anonymous caller. `alone`: an agent that acts for itself. `roles`: a caller with exactly
   * these roles, or an agent that acts for such a caller. `claims`: a caller whose token has these claims. */
  readonly as:
    | ({ readonly kind: 'nobody' } & AskedFrom)
    | { readonly kind: 'alone'; readonly agent: string }
    | { readonly kind: 'roles'; readonly roles: readonly string[]; readonly agent?: string }
    | (AskedFrom & {
        readonly kind: 'claims';
        readonly provider: string;
        readonly claims: Readonly<Record<string, unknown>>;
        /** The time since the sign-in in seconds; absent: the claims say it. */
        readonly signedIn?: number;
      });
  readonly method: string;
  readonly url: string;
  /** The MCP message of the request; absent: the request contains none. */
  readonly message?: Message;
  /** `allowed`, or the code of the expected reason. */
  readonly expect: string;
  readonly at: At;
}

function buildCaller(as: SaidOfTest['as'], usual: string): PolicyTest['as'] {
  if (typeof as === 'string') return { kind: 'nobody' };
  const { roles, agent, provider = usual, claims, signedIn, ...from } = as;
  if (roles) return named({ kind: 'roles' as const, roles, agent });
  if (agent !== undefined) return { kind: 'alone', agent };
  if (claims === undefined) return { kind: 'nobody', ...from };
  return named({ kind: 'claims' as const, provider, claims, signedIn, ...from });
}

/** @param provider the default for tests that name no provider */
export function buildTest({ as, expect, tool, mcp, ...urls }: SaidOfTest, provider: string, at: At): PolicyTest {
  const [method = '', url = ''] = Object.entries(urls).find(([, it]) => it !== undefined) ?? [];
  const message = tool === undefined ? parseMessage(mcp ?? '') : toolCall(tool);
  return { as: buildCaller(as, provider), method, url, ...(message && { message }), expect, at };
}
