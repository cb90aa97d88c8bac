import * as z from 'zod';
import { reasons } from '../../base/reasons.ts';
import * as a from '../forms/addresses.ts';
import type { At } from '../forms/at.ts';
import { hints } from '../forms/hints.ts';
import { key, mapping, named, optional, teamStrict } from '../forms/mapping.ts';
import { type Message, parseMessage, toolCall } from '../forms/mcp-message.ts';
import * as s from '../forms/scalars.ts';
import { oneCertificateName } from '../forms/workload-names.ts';
import { sampleCredential } from './service-credential.ts';
import { testHost } from './team-limits.ts';

type Method = (typeof s.METHODS)[number];

const urlOf = () =>
  optional({ decides: 'nothing', team: { text: testHost } }, a.testUrl, 'URL of a request with this method.');

const urls = Object.fromEntries(s.METHODS.map((method) => [method, urlOf()])) as Record<
  Method,
  ReturnType<typeof urlOf>
>;

/** A test asks, and decides nothing. */
const FREE = { decides: 'nothing', team: 'free' } as const;

const EXPECTED = ['allowed', ...Object.keys(reasons)] as [string, ...string[]];

export const test = teamStrict({
  as: key(
    FREE,
    z
      .union([
        z.enum(['nobody']),
        mapping({
          roles: optional(
            'nothing',
            z.array(s.reference('role')).register(hints, { what: 'a list of roles', write: '[staff]' }),
            'A caller with exactly these roles.',
          ),
          agent: optional('nothing', s.reference('agent'), 'The agent that acts for the caller, or alone.'),
          provider: optional('nothing', s.reference('provider'), 'Provider of the token.'),
          claims: optional(
            'nothing',
            z
              .record(z.string(), z.unknown())
              .register(hints, { what: 'a mapping of claims', write: '{ sub: ann, groups: [staff] }' }),
            'Claims of the token, or of the session.',
          ),
          signed_in: optional(
            {
              decides: 'nothing',
              noEffectWithout: {
                claims: 'no effect without claims; write { provider: okta, claims: { … }, signed_in: … }',
              },
              excludes: { 'claims/auth_time': 'the claims have auth_time as well; keep one of the two' },
            },
            s.seconds,
            'How long ago the caller signed in (claim auth_time).',
          ),
          network: optional(
            {
              decides: 'nothing',
              excludes: { roles: 'no effect together with roles; write { claims: { … }, network: … }' },
            },
            a.address,
            'The address of the client.',
          ),
          certificate: optional(
            {
              decides: 'nothing',
              excludes: { roles: 'no effect together with roles; write { claims: { … }, certificate: … }' },
            },
            oneCertificateName,
            'The name in the certificate that the caller shows.',
          ),
        }),
      ])
      .register(hints, { what: 'a caller', write: 'nobody, { roles: [staff] } or { provider: okta, claims: { … } }' })
      .describe('The caller.'),
  ),
  ...urls,
  service_credential: optional(
    FREE,
    sampleCredential,
    'The Authorization header, which belongs to the service: a scheme, and for a token its beginning. With allowed, the service must receive it.',
  ),
  tool: optional(FREE, s.toolName, 'The MCP tool that the headers of the request name (SEP-2243).'),
  mcp: optional(
    { ...FREE, excludes: { tool: 'a request is one message; keep tool or mcp' } },
    s.mcpMessage,
    'The MCP message that these headers name: METHOD, or METHOD:NAME.',
  ),
  expect: key(FREE, z.enum(EXPECTED).describe('allowed, or the reason why the request does not pass.')),
})
  .register(hints, {
    what: 'a test',
    write: '{ as: { roles: [staff] }, GET: https://wiki.example.com/x, expect: allowed }',
  })
  .describe('One request and the expected decision.');

type DeclaredTest = z.output<typeof test>;
type DeclaredCaller = Exclude<DeclaredTest['as'], string>;

/** The properties of a request in a test, besides its token. */
export type RequestOrigin = Pick<DeclaredCaller, 'network' | 'certificate'>;

export interface PolicyTest {
  /** The caller. `alone`: an agent by itself. `roles`: a caller with exactly these roles, perhaps through an agent. */
  readonly as:
    | ({ readonly kind: 'nobody' } & RequestOrigin)
    | { readonly kind: 'alone'; readonly agent: string }
    | { readonly kind: 'roles'; readonly roles: readonly string[]; readonly agent?: string }
    | (RequestOrigin & {
        readonly kind: 'claims';
        readonly provider: string;
        readonly claims: Readonly<Record<string, unknown>>;
        /** The time since the sign-in in seconds; absent: the claims say it. */
        readonly signedIn?: number;
      });
  readonly method: string;
  readonly url: string;
  readonly message?: Message;
  /** The `Authorization` header for the service: the scheme, and for a token its beginning. */
  readonly serviceCredential?: string;
  readonly expect: string;
  readonly at: At;
}

function buildCaller(as: DeclaredTest['as'], usual: string): PolicyTest['as'] {
  if (typeof as === 'string') return { kind: 'nobody' };
  const { roles, agent, provider = usual, claims, signedIn, ...from } = as;
  if (roles) return named({ kind: 'roles' as const, roles, agent });
  if (agent !== undefined) return { kind: 'alone', agent };
  if (claims === undefined) return { kind: 'nobody', ...from };
  return named({ kind: 'claims' as const, provider, claims, signedIn, ...from });
}

/** @param provider the default for tests that name no provider */
export function buildTest(
  { as, expect, tool, mcp, service_credential: serviceCredential, ...urls }: DeclaredTest,
  provider: string,
  at: At,
): PolicyTest {
  const [method = '', url = ''] = Object.entries(urls).find(([, it]) => it !== undefined) ?? [];
  const message = tool === undefined ? parseMessage(mcp ?? '') : toolCall(tool);
  const more = { ...(message && { message }), ...(serviceCredential !== undefined && { serviceCredential }) };
  return { as: buildCaller(as, provider), method, url, ...more, expect, at };
}
