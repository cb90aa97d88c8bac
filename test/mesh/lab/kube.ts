import { randomBytes } from 'node:crypto';
import { type Box, type Stage, startContainer, until } from '../../harness/index.ts';
import { Api, type ApiAnswer, wordsOf } from './api.ts';
import { HUNG_MS } from './hung.ts';
import { meshImage } from './image.ts';
import { Kinds } from './kinds.ts';
import { type KubeObject, type Objects, readObjects, titleOf } from './objects.ts';

/** The API server's answer about an object under strict validation. */
export type Verdict = { readonly accepted: true } | { readonly accepted: false; readonly words: string };

const port = 6443;

/** The API server rejects an object. Its own trouble (500 and above), too many requests, and a lost connection are other
 * errors: they say nothing about the object. */
export class Rejected extends Error {}

/** @returns the error for an answer from 400 on */
export function errorOf(title: string, answer: ApiAnswer): Error {
  const words = wordsOf(answer);
  // The server has the status 500 for an object that does not fit its schema.
  const isVerdict =
    [400, 403, 404, 409, 415, 422].includes(answer.status) ||
    words.startsWith('500 failed to create typed patch object');
  return isVerdict ? new Rejected(`${title}: ${words}`) : new Error(`${title}: ${words}`);
}

/** A real kube-apiserver on a real etcd. */
export class Kube {
  readonly box: Box;
  readonly api: Api;
  /** For clients in the stage's network. */
  readonly kubeconfig: string;
  readonly #kinds: Kinds;
  readonly #namespaces = new Map<string, Promise<unknown>>();

  constructor(box: Box, api: Api, kubeconfig: string) {
    this.box = box;
    this.api = api;
    this.kubeconfig = kubeconfig;
    this.#kinds = new Kinds(api);
  }

  /**
   * Applies objects as `kubectl apply --server-side --validate=strict` does: a field that is no longer there is
   * removed. Missing namespaces are made.
   *
   * @returns the objects as the server keeps them
   */
  apply(given: Objects): Promise<KubeObject[]> {
    return Promise.all(readObjects(given).map((object) => this.#put(object, '', false)));
  }

  /** Sets values that a controller would set, e.g. a pod's address. */
  applyStatus(object: KubeObject): Promise<KubeObject> {
    return this.#put(object, '/status', false);
  }

  /** Deletes objects; a missing one is not an error. */
  async delete(given: Objects): Promise<void> {
    await Promise.all(
      readObjects(given).map(async (object) => {
        const answer = await this.api.request('DELETE', `${await this.#path(object)}?gracePeriodSeconds=0`);
        if (answer.status >= 400 && answer.status !== 404) throw new Error(`${titleOf(object)}: ${wordsOf(answer)}`);
      }),
    );
  }

  /** The object as it is stored, or undefined. */
  async read(object: Pick<KubeObject, 'apiVersion' | 'kind' | 'metadata'>): Promise<KubeObject | undefined> {
    const answer = await this.api.request('GET', await this.#path(object));
    if (answer.status === 404) return undefined;
    if (answer.status >= 400) throw new Error(wordsOf(answer));
    return answer.body;
  }

  /** The output of `kubectl apply --server-side --dry-run=server --validate=strict`; nothing is changed.
   * @throws Error if the server gave no verdict: it is in trouble, or a webhook did not answer */
  async verdict(object: KubeObject): Promise<Verdict> {
    try {
      await this.#put(object, '', true);
      return { accepted: true };
    } catch (error) {
      if (!(error instanceof Rejected)) throw error;
      return { accepted: false, words: error.message };
    }
  }

  /** Results for all rejected objects of a text, as `title: message`. */
  async refusals(given: Objects): Promise<string[]> {
    const verdicts = await Promise.all(readObjects(given).map((object) => this.verdict(object)));
    return verdicts.flatMap((verdict) => (verdict.accepted ? [] : [verdict.words]));
  }

  /** A service account's token, good for an hour. */
  async token(namespace: string, account: string, audience: string): Promise<string> {
    const body = { spec: { audiences: [audience], expirationSeconds: 3600 } };
    const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${account}/token`;
    return (await this.api.ask('POST', path, JSON.stringify(body))).status.token;
  }

  /** Makes a namespace if it is missing. */
  namespace(name: string): Promise<unknown> {
    const known = this.#namespaces.get(name);
    if (known !== undefined) return known;
    const made = this.#put({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } }, '', false);
    this.#namespaces.set(name, made);
    return made;
  }

  async #put(object: KubeObject, sub: string, dryRun: boolean): Promise<KubeObject> {
    const { namespace } = object.metadata;
    if (namespace !== undefined) await this.namespace(namespace);
    const query = `fieldManager=lab&force=true&fieldValidation=Strict${dryRun ? '&dryRun=All' : ''}`;
    const path = `${await this.#path(object)}${sub}?${query}`;
    const answer = await this.api.request('PATCH', path, JSON.stringify(object), 'application/apply-patch+yaml');
    if (answer.status >= 400) throw errorOf(titleOf(object), answer);
    return answer.body;
  }

  async #path(object: Pick<KubeObject, 'apiVersion' | 'kind' | 'metadata'>): Promise<string> {
    const path = await this.#kinds.path(object);
    if (path === undefined) throw new Rejected(`the API server knows no ${object.kind} in ${object.apiVersion}`);
    return path;
  }
}

/** Starts etcd and kube-apiserver in the stage; ready in a few seconds. It knows Istio's objects: the image has their definitions. */
export async function startKube(stage: Stage): Promise<Kube> {
  const token = randomBytes(24).toString('hex');
  const [server, accounts] = await Promise.all([
    stage.ca.server(['kube', 'localhost'], { ips: ['127.0.0.1'] }),
    stage.ca.issue({ commonName: 'service accounts' }),
  ]);
  const kubeconfig = kubeconfigOf(stage.ca.cert, token);
  const box = await startContainer(stage, {
    image: meshImage,
    alias: 'kube',
    command: ['kube.sh', '/etc/kube'],
    files: {
      '/etc/kube/server.pem': server.cert,
      '/etc/kube/server.key': server.key,
      '/etc/kube/accounts.key': accounts.key,
      '/etc/kube/accounts.pem': accounts.cert,
      '/etc/kube/tokens.csv': `${token},admin,admin,system:masters\n`,
      '/etc/kube/kubeconfig': kubeconfig,
    },
    ready: /Serving securely/,
  });
  const api = new Api({ host: box.host, port: port, ca: stage.ca.cert, token });
  // State: /readyz, which the API server answers once all its parts are ready.
  await until(async () => (await api.request('GET', '/readyz').catch(() => undefined))?.status === 200, {
    what: 'the API server to be ready',
    timeoutMs: HUNG_MS,
    help: () => box.logs.tail(),
  });
  return new Kube(box, api, kubeconfig);
}

function kubeconfigOf(ca: string, token: string): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name: 'lab',
        cluster: {
          server: `https://kube:${port}`,
          'certificate-authority-data': Buffer.from(ca).toString('base64'),
        },
      },
    ],
    users: [{ name: 'admin', user: { token } }],
    contexts: [{ name: 'lab', context: { cluster: 'lab', user: 'admin' } }],
    'current-context': 'lab',
  });
}
