import { readAddress } from '../../base/cidr.ts';
import {
  argument,
  command,
  type FlagsOf,
  flag,
  formatFlag,
  parseDuration,
  parseTime,
  several,
  WrongUse,
} from '../common/context.ts';
import { type Loaded, loadValid } from '../common/load.ts';
import { messageFlags, messageOf } from '../common/message-flags.ts';
import { checkForm } from '../common/service-credential.ts';
import { readsStdin, sourceFlags, sourceOf } from '../common/source.ts';
import { reach, splitUrl } from '../decide/ask.ts';
import { explainedCallerOf } from '../decide/explained-caller.ts';
import { type Explanation, explainRefusal, explainRoute } from '../decide/explanation.ts';
import type { Runtime } from '../machine/runtime.ts';
import { explainLogged, parseRequestId } from './request.ts';
import { explanationReport } from './text.ts';

/** Parses the value of `--network`. */
function parseAddress(text: string): string {
  if (readAddress(text) === undefined) throw new Error('write an address, such as 10.9.0.7 or fd00::7');
  return text;
}

/** Parses the value of `--origin`. */
function parseOrigin(text: string): string {
  if (/^(?:null|https?:\/\/[^/?#\s]+)$/.test(text)) return text;
  throw new Error('write an origin as browsers send it, such as https://app.example.com');
}

/** Parses the value of `--certificate`. */
function parseName(text: string): string {
  if (/^(?:spiffe:\/\/)?[A-Za-z0-9._/-]+$/.test(text)) return text.startsWith('spiffe:') ? text : text.toLowerCase();
  throw new Error('write a SPIFFE id or a DNS name');
}

const flags = {
  as: {
    ...flag('ROLE,ROLE', 'Ask as a caller with these roles, or as nobody, an anonymous caller (the default)'),
    variadic: ',',
  },
  agent: flag('NAME', 'Ask as this agent: for the person of --as or --token, or alone'),
  token: flag('FILE', 'Ask with the token in a file (- reads standard input); its signature is not checked'),
  now: flag('TIME', 'Check the token as of this time: seconds since the epoch, or a date', parseTime),
  network: flag('ADDRESS', 'Ask from this address', parseAddress),
  certificate: flag('NAME', 'Ask with a client certificate that has this SPIFFE id or DNS name', parseName),
  origin: flag('ORIGIN', 'The request comes from a page of this origin', parseOrigin),
  signedIn: flag('TIME', 'The request has a session that began this long ago, such as 9h', parseDuration),
  serviceCredential: flag(
    'FORM',
    'The request has this Authorization for the service: a scheme, or a scheme and the beginning of a token',
  ),
  request: flag('ID', 'Explain the request with this request_id, from the logs of --log', parseRequestId),
  log: several(
    flag(
      'LOG',
      'A file of the log, for --request; repeat the flag for several. .gz is decompressed, - is standard input',
    ),
  ),
  ...messageFlags,
  ...sourceFlags,
  format: formatFlag,
};

type Flags = FlagsOf<typeof flags>;

function checkUse(runtime: Runtime, flags: Flags, method: string, url: string): void {
  checkForm(flags.serviceCredential);
  if (flags.as !== undefined && flags.token !== undefined) throw new WrongUse('give --as or --token, not both');
  const isGiven = flags.as !== undefined && flags.as[0] !== 'nobody';
  if (isGiven && (flags.network ?? flags.certificate) !== undefined) {
    throw new WrongUse('--network and --certificate have no effect with --as ROLE: the roles are given');
  }
  if (flags.token === '-' && readsStdin(sourceOf(runtime, undefined, flags)))
    throw new WrongUse('only one file can come from standard input');
  if (!/^[A-Z_-]+$/.test(method)) {
    throw new WrongUse(
      `${JSON.stringify(method)} is not a method; write it in upper case, such as GET https://HOST/PATH`,
    );
  }
  if (splitUrl(url) === undefined) throw new WrongUse(`${JSON.stringify(url)} names no host; write https://HOST/PATH`);
}

/** Flags that describe a request, which with `--request` comes from the log. */
const DESCRIBING = [
  ...(['as', 'agent', 'token', 'now', 'network', 'certificate', 'origin', 'signedIn', 'serviceCredential'] as const),
  ...(['tool', 'mcp'] as const),
];

function checkLogged(flags: Flags, url: string | undefined): void {
  if (url !== undefined) throw new WrongUse('--request takes method and URL from the log: leave them out');
  const given = DESCRIBING.find((name) => flags[name] !== undefined);
  if (given !== undefined) {
    const name = given.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    throw new WrongUse(`--request takes the caller and the request from the log: leave --${name} out`);
  }
  if ((flags.log ?? []).length === 0) throw new WrongUse('--request needs a log: add --log FILE');
}

function explainRequest(runtime: Runtime, loaded: Loaded, flags: Flags, method: string, url: string): Explanation {
  const message = messageOf(flags);
  const requested = { method, url, ...(message && { message }) };
  const reached = reach(loaded.policy, method, url);
  if ('reason' in reached) return explainRefusal(requested, reached);
  const at = { ...requested, ...reached };
  const explained = explainedCallerOf(runtime, loaded.policy, flags, reached);
  return 'reason' in explained ? explainRefusal(at, explained) : explainRoute(loaded, at, explained, flags);
}

/** `meshgate explain`: says whether a request is allowed, for each rule, with the facts that decided. */
export const explainCommand = command({
  brief: 'Explain why a request is allowed or denied, rule by rule',
  text: 'Shows the route of a request, which of its rules match, and the fact that decided, each with its place in the policy. The command reads a token, but never prints it.',
  exits: { 0: 'allowed', 1: 'denied' },
  examples: [
    'meshgate explain GET https://wiki.example.com/rest/page',
    'meshgate explain --as staff,editor POST https://wiki.example.com/rest/page',
    'meshgate explain --as staff --agent wiki-pages GET https://dashboard.example.com/',
    'meshgate explain --as staff --agent pages-bot --tool search_pages POST https://mcp.example.com/mcp',
    'meshgate explain --network 10.9.0.7 GET https://wiki.example.com/healthz',
    'meshgate explain --as staff --service-credential Basic GET https://wiki.example.com/rest/page',
    'meshgate explain --token token.txt --format json GET https://wiki.example.com/',
    'meshgate explain --request 9795ce5ecb841cd57231e9be6a3e3b4b --log access.log',
    'pbpaste | meshgate explain --token - --policy meshgate.yaml GET https://wiki.example.com/',
  ],
  flags,
  args: [
    { ...argument('METHOD', 'GET, POST, …; with --request, the policy'), optional: true },
    { ...argument('URL', 'The URL as the client sends it; it is not normalised'), optional: true },
  ],
  run(runtime, flags, method, url) {
    const { request, log = [] } = flags;
    if (request !== undefined) {
      checkLogged(flags, url);
      return explainLogged(runtime, request, log, sourceOf(runtime, method, flags));
    }
    if (log.length > 0) throw new WrongUse('--log has no effect without --request ID');
    if (method === undefined || url === undefined)
      throw new WrongUse('write METHOD and URL, such as GET https://HOST/PATH, or --request ID --log FILE');
    checkUse(runtime, flags, method, url);
    const loaded = loadValid(runtime, sourceOf(runtime, undefined, flags));
    const explanation = explainRequest(runtime, loaded, flags, method, url);
    return explanationReport(explanation, loaded.policy, flags.token !== undefined);
  },
});
