import { until } from '../harness/until.ts';
import { docker } from './docker.ts';
import { instance, urls } from './paths.ts';
import { Trouble } from './trouble.ts';

/** The gateway's container has the log, the sealed log, and the command. */
const gateway = `${instance}-gateway`;
const log = '/var/log/meshgate/access.log';
const folder = '/var/lib/meshgate/audit';
const readLog = `docker exec ${gateway} cat ${log}`;

/** Commands about the log, as they are typed after `. ./.demo.env`. */
export const custodyLines: readonly { readonly title: string; readonly line: string }[] = [
  {
    title: 'Is each line as it was sealed, and has the witness seen the log? The answer is yes',
    line: `docker exec ${gateway} meshgate audit verify ${log} --key "$LOG_KEY" --witness "$WITNESS_KEY"`,
  },
  {
    title: 'The same with one name changed: verify names the lines',
    line: `docker exec ${gateway} sed 's/"user.id":"ben"/"user.id":"eve"/' ${log} | docker exec -i ${gateway} meshgate audit verify - --key "$LOG_KEY"`,
  },
  {
    title: 'Did the gateway decide each sealed request as the policy of its time says?',
    line: `docker exec ${gateway} meshgate audit redecide --log-folder ${folder}`,
  },
  {
    title:
      'A proof that the line of one request is in the log; anyone can check it offline, with the first key of the log',
    line: `docker exec ${gateway} meshgate audit prove "$TRACE_ID" > /tmp/line.tlog-proof`,
  },
  { title: 'The check', line: 'npx meshgate audit check /tmp/line.tlog-proof --key "$LOG_KEY"' },
  {
    title: 'The same request at the gateway, the mesh and the wiki, as a timeline and as a page',
    line: `npx meshgate trace "$TRACE_ID" --nginx <(${readLog}) --mesh <(docker logs ${instance}-ingress 2> /dev/null) --app <(docker logs ${instance}-wiki) --html /tmp/trace.html`,
  },
  {
    title: 'What would change if the agent had no rule?',
    line: `npx meshgate replay --policy <(sed '/agent: release-bot, methods/d' test/demo/meshgate.yaml) <(${readLog})`,
  },
  {
    title: 'Which grants did no request use?',
    line: `npx meshgate tighten --policy test/demo/meshgate.yaml <(${readLog})`,
  },
];

/** Waits until the sealer has made its first key: it verifies the log. */
export async function firstKey(): Promise<string> {
  return until(() => docker('exec', gateway, 'cat', `${folder}/keys/first`).catch(() => undefined), {
    what: 'the first key of the log',
  }).catch(() => {
    throw new Trouble(`the sealer does not start; it says why: docker logs ${gateway}`);
  });
}

/** Waits until the line of a request is sealed: nginx and the sealer write each a moment later. */
export async function expectSealed(trace: string): Promise<string> {
  const prove = () => docker('exec', gateway, 'meshgate', 'audit', 'prove', trace).catch(() => undefined);
  await until(prove, { what: 'the seal' }).catch(() => {
    throw new Trouble(`the sealer does not seal; it says why: docker logs ${gateway}`);
  });
  return 'sealed';
}

/** Lets the gateway ask a witness that has just started: new workers of nginx ask at once, and then every ten seconds. */
export async function askWitness(): Promise<void> {
  await until(() => fetch(urls.witness).catch(() => undefined), { what: 'the witness' }).catch(() => {
    throw new Trouble(`the witness does not start; it says why: docker logs ${instance}-witness`);
  });
  await docker('exec', gateway, 'sh', '-c', 'kill -HUP "$(cat /run/meshgate/nginx.pid)"');
}

/** Waits until the witness has cosigned the log. */
export async function expectCosigned(): Promise<string> {
  const cosigned = () => docker('exec', gateway, 'sh', '-c', `cat ${folder}/witness/*`).catch(() => undefined);
  await until(cosigned, { what: 'the cosignature' }).catch(() => {
    throw new Trouble(`the witness does not cosign; see docker logs ${instance}-witness and docker logs ${gateway}`);
  });
  return 'cosigned';
}

/** Waits until Prometheus has read the gateway's metrics. */
export async function expectMetrics(): Promise<string> {
  const read = async () => {
    const answer = await fetch(`${urls.prometheus}/api/v1/query?query=meshgate_ready`).catch(() => undefined);
    return answer?.ok === true && (await answer.text()).includes('"__name__":"meshgate_ready"');
  };
  await until(read, { what: 'metrics in Prometheus' }).catch(() => {
    throw new Trouble(`Prometheus does not read the metrics; it says why: docker logs ${instance}-prometheus`);
  });
  return 'read';
}
