import { acceptingOf } from '../../caller/credential.ts';
import {
  argument,
  command,
  type FlagsOf,
  flag,
  formatFlag,
  NO,
  parseTime,
  switchFlag,
  WrongUse,
  YES,
} from '../common/context.ts';
import { type Loaded, loadValid } from '../common/load.ts';
import { messageFlags, messageOf } from '../common/message-flags.ts';
import { caFileFlag } from '../common/provider.ts';
import { readsStdin, sourceFlags, sourceOf } from '../common/source.ts';
import { reach, splitUrl } from '../decide/ask.ts';
import { explainedCallerOf, tokenText } from '../decide/explained-caller.ts';
import { type Explanation, explainRefusal, explainRoute } from '../decide/explanation.ts';
import { Offline } from '../decide/offline.ts';
import { explanationJson, explanationText } from '../explain/text.ts';
import type { Runtime } from '../machine/runtime.ts';
import { type Taken, type TokenReport, tokenReport } from './described.ts';
import { queriedReport } from './online.ts';
import { tokenJson, tokenReportText } from './text.ts';

const flags = {
  online: switchFlag('Ask the token’s provider for its keys, or about the token'),
  caFile: caFileFlag,
  now: flag('TIME', 'Check the token as of this time: seconds since the epoch, or a date', parseTime),
  ...messageFlags,
  ...sourceFlags,
  format: formatFlag,
} as const;

type Flags = FlagsOf<typeof flags>;

/** Returns the providers and audiences for the check: those of the request's host and route, if a request is given. */
function takenBy({ policy }: Loaded, method?: string, url?: string): Taken {
  const reached = method === undefined || url === undefined ? undefined : reach(policy, method, url);
  if (reached === undefined || 'reason' in reached) return { names: Object.keys(policy.providers), anywhere: true };
  const { audiences } = reached.route;
  return { names: reached.host.providers, ...(audiences && { audiences }) };
}

type Queried = Pick<Explanation, 'method' | 'url' | 'message'>;

/** Explains one request that has the token. */
function explained(runtime: Runtime, loaded: Loaded, report: TokenReport, text: string, queried: Queried): Explanation {
  const reached = reach(loaded.policy, queried.method, queried.url);
  if ('reason' in reached) return explainRefusal(queried, reached);
  const at = { ...queried, ...reached };
  const authorization = `Bearer ${text}`;
  if (new Offline(loaded.policy, runtime.now()).passingAt(reached.route)?.schemeOf(authorization) !== undefined) {
    const explainedCaller = explainedCallerOf(runtime, loaded.policy, {}, reached);
    return 'reason' in explainedCaller
      ? explainRefusal(at, explainedCaller)
      : explainRoute(loaded, at, { ...explainedCaller, authorization });
  }
  const { bearers, noTokens } = acceptingOf(reached.route.accept, false);
  if (!bearers) return explainRefusal(at, noTokens);
  if (report.refused !== undefined || report.explained === undefined) {
    return explainRefusal(at, report.refused ?? { reason: 'token_malformed' });
  }
  if (!reached.host.providers.includes(report.provider as string))
    return explainRefusal(at, { reason: 'issuer_unknown' });
  return explainRoute(loaded, at, report.explained);
}

function checkUse(runtime: Runtime, flags: Flags, file: string, method?: string, url?: string): void {
  if (file === '-' && readsStdin(sourceOf(runtime, undefined, flags)))
    throw new WrongUse('only one file can come from standard input');
  if (method !== undefined && url === undefined)
    throw new WrongUse('METHOD and URL go together: GET https://HOST/PATH');
  if (url === undefined && (flags.tool ?? flags.mcp) !== undefined)
    throw new WrongUse('--tool and --mcp describe a request: give METHOD and URL as well');
  if (url !== undefined && splitUrl(url) === undefined) {
    throw new WrongUse(`${JSON.stringify(url)} names no host; write https://HOST/PATH`);
  }
}

/** `meshgate token`: says what a token contains, which provider accepts it, and what its holder may do. */
export const tokenCommand = command({
  brief: 'Show what a token contains, and which provider and rules accept it or why not',
  text: 'Decodes a token. Shows which provider of the policy accepts it or why not, which roles it gives, and where it passes. The signature is never printed. It is verified only with --online, on Node: the command asks the provider for its keys, or about the token if the policy says so.',
  exits: { 0: 'accepted', 1: 'rejected' },
  examples: [
    'meshgate token token.txt',
    'meshgate token token.txt GET https://wiki.example.com/page',
    'pbpaste | meshgate token - --online',
  ],
  flags,
  args: [
    argument('FILE', 'File with the token (- reads standard input)'),
    { ...argument('METHOD', 'With a URL: show which rule allows this request'), optional: true },
    { ...argument('URL', 'The URL as the client sends it; it is not normalised'), optional: true },
  ],
  async run(runtime, flags, file, method, url) {
    checkUse(runtime, flags, file, method, url);
    const loaded = loadValid(runtime, sourceOf(runtime, undefined, flags));
    const text = tokenText(runtime, file);
    const now = flags.now ?? runtime.now();
    const taken = takenBy(loaded, method, url);
    const byText = tokenReport(loaded, text, now, taken);
    const { report, signature } = flags.online
      ? await queriedReport(runtime, loaded, text, byText, taken, now, flags.caFile)
      : { report: byText, signature: byText.form === 'jwt' ? ('not checked' as const) : undefined };
    const message = messageOf(flags);
    const queried =
      method === undefined || url === undefined ? undefined : { method, url, ...(message && { message }) };
    const explanation = queried && explained(runtime, loaded, report, text, queried);
    const own = explanation === undefined ? report : { ...report, roles: [], routes: [] };
    const unverified = signature === 'not checked';
    const isFalse = typeof signature === 'object' && 'reason' in signature;
    const isNo = isFalse || report.refused !== undefined || explanation?.decision.allow === false;
    return {
      code: isNo ? NO : YES,
      value: {
        ...tokenJson(own, signature),
        request: explanation && explanationJson(explanation, loaded.policy, unverified),
      },
      text(paint) {
        const request = explanation ? `\n${explanationText(explanation, loaded.policy, false, paint)}` : '';
        return tokenReportText(own, signature, loaded.policy, paint) + request;
      },
    };
  },
});
