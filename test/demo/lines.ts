import type { Requested } from './ask.ts';
import { urls } from './paths.ts';

/** One curl command: the request, and the expected answer. */
export interface Line {
  readonly title: string;
  /** Name of the variable in .demo.env with the token. */
  readonly token?: string;
  readonly requested: Requested;
  readonly status: number;
  /** A part of the body, and the explanation. */
  readonly holds: string;
  readonly why: string;
  /** The lines about the log are about this request. */
  readonly traced?: true;
}

const content = `${urls.gateway}/rest/api/content`;
const page = JSON.stringify({ title: 'Hello', body: { storage: { value: 'Written through the gateway.' } } });
const write = { url: content, method: 'POST', headers: { 'Content-Type': 'application/json' }, body: page };

/** Requests whose answers differ for a visible reason. */
export const lines: readonly Line[] = [
  {
    title: 'An editor writes',
    token: 'TOKEN_EDITOR',
    requested: write,
    status: 200,
    holds: '"username":"ada"',
    why: 'the wiki knows who wrote',
  },
  {
    title: 'A reader reads',
    token: 'TOKEN_READER',
    requested: { url: content },
    status: 200,
    holds: '"title":"Welcome"',
    why: 'readers may GET',
    traced: true,
  },
  {
    title: 'The same reader writes',
    token: 'TOKEN_READER',
    requested: write,
    status: 403,
    holds: '"reason":"role_missing"',
    why: 'readers may only GET',
  },
  {
    title: 'A request without a token',
    requested: { url: content },
    status: 401,
    holds: '"reason":"credential_missing"',
    why: 'without a token the gateway refuses the request',
  },
  {
    title: 'The reader claims to be ada',
    token: 'TOKEN_READER',
    requested: { url: `${urls.dashboard}/`, headers: { 'X-Forwarded-User': 'ada' } },
    status: 200,
    holds: '"user":"ben"',
    why: 'the forged header was erased; the token decides',
  },
  {
    title: 'The wiki asks the dashboard, for the reader',
    token: 'TOKEN_READER',
    requested: { url: `${urls.gateway}/dashboard` },
    status: 200,
    holds: '"actor":"spiffe://example.org/ns/wiki/sa/wiki"',
    why: 'the dashboard sees ben, with his role, and that the wiki asks for him',
  },
  {
    title: 'An agent asks the dashboard, for the editor',
    token: 'TOKEN_AGENT',
    requested: { url: `${urls.dashboard}/` },
    status: 200,
    holds: '"actor":"release-bot"',
    why: 'the dashboard sees ada, with her role, and that the agent asks for her',
  },
  {
    title: 'The same agent writes for her',
    token: 'TOKEN_AGENT',
    requested: write,
    status: 403,
    holds: '"reason":"actor_not_allowed"',
    why: 'she may write there, the agent may not',
  },
];

/** The line as it is typed after `. ./.demo.env`. */
export function curl({ token, requested }: Line): string {
  const { url, headers = {}, body } = requested;
  const variable = url.startsWith(urls.dashboard) ? '$DASHBOARD' : '$GATEWAY';
  const path = new URL(url).pathname;
  return [
    'curl -s -w \'\\n%{http_code}\\n\' --cacert "$CA_FILE"',
    ...(token === undefined ? [] : [`-H "Authorization: Bearer $${token}"`]),
    ...Object.entries(headers).map(([name, value]) => `-H '${name}: ${value}'`),
    ...(body === undefined ? [] : [`-d '${body}'`]),
    `"${variable}${path}"`,
  ].join(' ');
}
