import { type Box, startContainer } from './container.ts';
import { type Answer, send } from './http.ts';
import { etcdImage } from './images.ts';
import type { Stage } from './stage.ts';
import { until } from './until.ts';

const clientPort = 2379;
const peerPort = 2380;

/** One member; called over its JSON gateway (`/v3/kv/range`, …), TLS with a client certificate. */
export class EtcdMember {
  readonly box: Box;
  /** As the gateways' policy names it. */
  readonly url: string;
  readonly #trust: { readonly ca: string; readonly clientPem: string };

  constructor(box: Box, trust: { readonly ca: string; readonly clientPem: string }) {
    this.box = box;
    this.url = `https://${box.alias}:${clientPort}`;
    this.#trust = trust;
  }

  /** A call of the JSON gateway; keys and values in it are base64. */
  call(path: string, body: unknown, clientPem: string | undefined = this.#trust.clientPem): Promise<Answer> {
    const { host, alias } = this.box;
    const target = { host, port: clientPort, tls: true, name: alias, ca: this.#trust.ca };
    const client = clientPem === '' ? {} : { clientPem };
    return send({ ...target, ...client }, { method: 'POST', path, body: JSON.stringify(body) });
  }

  async put(key: string, value: string): Promise<void> {
    const answer = await this.call('/v3/kv/put', { key: base64(key), value: base64(value) });
    if (answer.status !== 200) throw new Error(`${this.box.alias}: put: ${answer.status} ${answer.text}`);
  }

  /** Returns the value, or undefined if there is none. */
  async get(key: string): Promise<string | undefined> {
    const answer = await this.call('/v3/kv/range', { key: base64(key) });
    if (answer.status !== 200) throw new Error(`${this.box.alias}: range: ${answer.status} ${answer.text}`);
    const [found] = answer.json().kvs ?? [];
    return found === undefined ? undefined : Buffer.from(found.value ?? '', 'base64').toString();
  }

  /** Returns every key with this prefix. */
  async keys(prefix: string): Promise<string[]> {
    const end = Buffer.from(prefix);
    end[end.length - 1]! += 1;
    const range = { key: base64(prefix), range_end: end.toString('base64'), keys_only: true };
    const answer = await this.call('/v3/kv/range', range);
    if (answer.status !== 200) throw new Error(`${this.box.alias}: range: ${answer.status} ${answer.text}`);
    return (answer.json().kvs ?? []).map(({ key }: { key: string }) => Buffer.from(key, 'base64').toString());
  }

  /** Ends it at once, as a lost machine does; resolves when it has ended. */
  async kill(): Promise<void> {
    await this.box.signal('SIGKILL');
    await this.box.logs.waitForEnd();
  }

  /** Freezes it: connections are accepted and nothing answers, until {@link resume}. */
  hang(): Promise<void> {
    return this.box.pause();
  }

  resume(): Promise<void> {
    return this.box.resume();
  }
}

const base64 = (text: string) => Buffer.from(text).toString('base64');

/** A cluster, and the files with which a gateway reaches it. */
export interface Etcd {
  readonly members: readonly EtcdMember[];
  readonly urls: readonly string[];
  /** CA of the members' certificates, PEM. */
  readonly ca: string;
  /** A client certificate that the members accept, and its key: separate, and in one PEM. */
  readonly client: { readonly cert: string; readonly key: string; readonly pem: string };
}

/** Starts a cluster: `etcd-0`, `etcd-1`, … (default three), TLS among them and towards clients. */
export async function startEtcd(stage: Stage, size = 3): Promise<Etcd> {
  const names = Array.from({ length: size }, (_, at) => `etcd-${at}`);
  const client = await stage.ca.issue({ commonName: 'gateway' });
  const trust = { ca: stage.ca.cert, clientPem: client.pem };
  const cluster = names.map((name) => `${name}=https://${name}:${peerPort}`).join(',');
  const members = await Promise.all(
    names.map(async (name) => new EtcdMember(await startMember(stage, name, cluster), trust)),
  );
  await until(async () => (await members[0]!.call('/v3/kv/range', { key: base64('x') })).status === 200, {
    what: 'the cluster to answer',
    help: () => members[0]!.box.logs.tail(),
  });
  return { members, urls: members.map(({ url }) => url), ca: stage.ca.cert, client };
}

async function startMember(stage: Stage, name: string, cluster: string): Promise<Box> {
  const { cert, key } = await stage.ca.server([name, 'localhost']);
  const file = (kind: string) => `/etc/store/${kind}.pem`;
  const tls = (prefix: string) => [
    ...[`--${prefix}cert-file`, file('cert'), `--${prefix}key-file`, file('key')],
    ...[`--${prefix}trusted-ca-file`, file('ca'), `--${prefix}client-cert-auth`],
  ];
  return startContainer(stage, {
    image: etcdImage,
    alias: name,
    files: { [file('cert')]: cert, [file('key')]: key, [file('ca')]: stage.ca.cert },
    command: [
      ...['etcd', '--name', name, '--data-dir', '/tmp/etcd', '--unsafe-no-fsync'],
      ...['--initial-cluster', cluster, '--initial-cluster-token', stage.name],
      ...['--initial-advertise-peer-urls', `https://${name}:${peerPort}`],
      ...['--listen-peer-urls', `https://0.0.0.0:${peerPort}`],
      ...['--listen-client-urls', `https://0.0.0.0:${clientPort}`],
      ...['--advertise-client-urls', `https://${name}:${clientPort}`],
      // A machine under load must not lose its leader.
      ...['--heartbeat-interval', '200', '--election-timeout', '2000'],
      ...tls(''),
      ...tls('peer-'),
    ],
    memory: 256,
    ready: /ready to serve client requests/,
  });
}
