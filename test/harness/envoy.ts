import { atMesh } from '../../src/rules/decide/at-ingress.ts';
import { type Box, startContainer } from './container.ts';
import { type Answer, type Sent, send, type Target } from './http.ts';
import { envoyCommand, envoyImage } from './images.ts';
import { jsonLines } from './logs.ts';
import type { Ca } from './pki.ts';
import { type Files, ingressFiles, type PolicySource, readPolicy, render } from './policy.ts';
import type { Stage } from './stage.ts';

export interface EnvoyOptions {
  /** The policy; Envoy enforces exactly what it renders to. */
  readonly policy: PolicySource;
  readonly mutate?: (files: Files) => Files;
  readonly files?: Readonly<Record<string, string>>;
  /** Another name in the network than the host of its address. */
  readonly alias?: string;
  /** The ingress's name, if there are several. */
  readonly ingress?: string;
  /** The mesh's name, if there are several. */
  readonly mesh?: string;
  /** Signs its certificate; by default the mesh's CA. */
  readonly ca?: Ca;
  /** Lets {@link Envoy.kill} end Envoy and not the container, whose name and address then stay. */
  readonly killable?: true;
}

const PID = '/tmp/envoy.pid';

/** Runs Envoy below a shell, which outlives it. */
const outlived = ['sh', '-c', `"$@" & echo $! > ${PID}; wait; exec sleep infinity`, 'sh', ...envoyCommand];

/** The mesh ingress. */
export class Envoy {
  readonly box: Box;
  readonly #listen: number;
  readonly #name: string;
  readonly #ca: string;

  constructor(box: Box, listen: number, name: string, ca: string) {
    this.box = box;
    this.#listen = listen;
    this.#name = name;
    this.#ca = ca;
  }

  /** The ingress as a client of this machine reaches it, with an identity's certificate and key in one PEM. */
  target(clientPem?: string): Target {
    const trust = clientPem === undefined ? {} : { clientPem };
    return {
      host: this.box.host,
      port: this.#listen,
      tls: true,
      name: this.#name,
      ca: this.#ca,
      ...trust,
    };
  }

  /** Sends a request directly to the ingress; the authority is a header. */
  send(clientPem: string | undefined, authority: string, sent: Sent = {}): Promise<Answer> {
    const headers = Array.isArray(sent.headers) ? sent.headers : Object.entries(sent.headers ?? {});
    return send(this.target(clientPem), { ...sent, headers: [['Host', authority], ...headers] });
  }

  /** Ends Envoy at once, as a crash does. Its address then refuses connections. */
  async kill(): Promise<void> {
    const { exitCode, stderr } = await this.box.exec('sh', '-ec', `kill -9 "$(cat ${PID})"`);
    if (exitCode !== 0) throw new Error(`${this.box.alias} was not killed: ${stderr}`);
  }

  /** Access log lines after the mark. */
  access(mark = 0): Record<string, unknown>[] {
    return jsonLines(this.box.logs.since(mark));
  }
}

/** Starts Envoy with the output of `meshgate render --target envoy` for the policy. */
export async function startEnvoy(stage: Stage, options: EnvoyOptions): Promise<Envoy> {
  const entire = readPolicy(options.policy);
  const policy = options.mesh === undefined ? entire : atMesh({ policy: entire, rules: [] }, options.mesh).policy;
  const own = await ingressFiles(policy, stage, options.ingress, options.ca);
  const ingress = policy.mesh!.ingresses[options.ingress ?? 'default']!;
  const rendered = await render('envoy', options.policy, options.ingress, options.mesh);
  const files = options.mutate === undefined ? rendered : options.mutate(rendered);
  const placed = Object.fromEntries(Object.entries(files).map(([path, text]) => [`/etc/envoy/${path}`, text]));
  const listen = ingress.own!.listen;
  const box = await startContainer(stage, {
    image: envoyImage,
    command: options.killable ? outlived : envoyCommand,
    alias: options.alias ?? ingress.host,
    files: { ...own, ...placed, ...options.files },
    ready: /starting workers/,
  });
  return new Envoy(box, listen, ingress.serverName, (options.ca ?? stage.meshCa).cert);
}
