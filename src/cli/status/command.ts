import { argument, command, WrongUse } from '../common/context.ts';
import { loadValid } from '../common/load.ts';
import { sourceFlags, sourceOf } from '../common/source.ts';
import type { Runtime } from '../machine/runtime.ts';
import { query, queryFlags, requestAt } from './ask-hosts.ts';
import { routesToAsk } from './routes-to-ask.ts';

const flags = { ...queryFlags, overlay: sourceFlags.overlay, env: sourceFlags.env } as const;

const isUrl = (text: string): boolean => /^https?:\/\//i.test(text);

/** Rejects a host or URL without `https://`, unless a file has this name. */
function refuseHost(runtime: Runtime, named: string): void {
  if (!/^[a-z0-9-]+(?:\.[a-z0-9-]+)*(?::\d+)?(?:\/|$)/i.test(named) || /\.(?:ya?ml|json)$/i.test(named)) return;
  try {
    runtime.read(named);
  } catch {
    throw new WrongUse(`there is no policy ${named}; for a host, write https://${named}`);
  }
}

/** `meshgate status`: asks hosts without a credential, and fails if a service answers. */
export const statusCommand = command({
  brief: 'Ask hosts without a credential whether the gateway protects them',
  text: 'Asks each URL without a credential. Only the gateway may answer: with a refusal and its reason, with its challenge, or with the way to its sign-in or from HTTP to HTTPS. For a policy, asks one path of each route, except routes that anyone may use. A configuration that lost the check, for example because a controller dropped a snippet, passes every test of nginx; here it is open. Needs Node.',
  exits: { 0: 'the gateway refused every request', 1: 'a service answered, or there was no answer' },
  examples: [
    'meshgate status',
    'meshgate status https://wiki.example.com/',
    'meshgate status meshgate.yaml',
    'meshgate status --gateway https://127.0.0.1:8443 --ca-file ca.pem meshgate.yaml',
  ],
  flags,
  args: [
    { ...argument('URL', 'A URL, or the file of a policy (default ./meshgate.yaml)'), optional: true, several: true },
  ],
  async run(runtime, flags, ...args) {
    const files = args.filter((it) => !isUrl(it));
    const [named, other] = files;
    const file = args.length === 0 ? sourceOf(runtime, undefined, flags).file : named;
    if (other !== undefined) throw new WrongUse(`two policies, ${named} and ${other}: give only one`);
    if (named !== undefined) refuseHost(runtime, named);
    for (const key of ['overlay', 'env'] as const) {
      if (file === undefined && flags[key] !== undefined) throw new WrongUse(`--${key} has no effect without a policy`);
    }
    const ask = query(runtime, flags);
    const loaded = file === undefined ? undefined : loadValid(runtime, sourceOf(runtime, file, flags));
    return ask([...args.filter(isUrl).map(requestAt), ...(loaded === undefined ? [] : routesToAsk(loaded))]);
  },
});
