import { argument, command } from '../common/context.ts';
import { query, queryFlags, requestAt } from './ask-hosts.ts';

/** `meshgate status` for URLs alone. It reads no policy, so its bundle fits into a ConfigMap. */
export const statusProbe = command({
  brief: 'Ask URLs without a credential whether the gateway protects them',
  text: 'The command "meshgate status" without policies, for the probe of rendered manifests.',
  exits: { 0: 'the gateway refused every request', 1: 'a service answered, or there was no answer' },
  examples: ['node status.mjs https://wiki.example.com/'],
  flags: queryFlags,
  args: [{ ...argument('URL', 'What to ask, https://HOST/PATH'), several: true }],
  run: (runtime, flags, ...urls) => query(runtime, flags)(urls.map(requestAt)),
});
