import { readFileSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';
import { newSigningKeys } from '../../../src/assertion/rotate.ts';
import { signAssertion } from '../../../src/assertion/sign.ts';
import { readSigningKeys } from '../../../src/assertion/signing-keys.ts';
import { compile } from '../../../src/rules/compile.ts';
import { istio } from '../../../src/targets/istio/index.ts';
import { type Answer, readPolicy, type Sent, type Stage } from '../../harness/index.ts';
import { HUNG_MS, type KubeObject, type MeshEnvoy, type PolicyLab, readObjects, startPolicyLab } from '../lab/index.ts';

/** The mesh config of docs/istio.md. */
export function documentedMesh(): Readonly<Record<string, unknown>> {
  const text = readFileSync(new URL('../../../docs/istio.md', import.meta.url), 'utf8');
  const found = [...text.matchAll(/```yaml\n(.*?)```/gs)].find(([, block]) => block?.includes('extensionProviders'));
  return parseAllDocuments(found?.[1] ?? '')[0]!.toJS();
}

/** The rendered objects of a policy, with the keys in them. */
export function objectsOf(text: string, jwks: string) {
  const policy = readPolicy(text);
  const { files } = istio.emit(policy, compile(policy), { assertionJwks: jwks });
  return Object.entries(files).flatMap(([name, file]) => (name === 'kustomization.yaml' ? [] : readObjects(file)));
}

/** Signs assertions as the gateway would. */
export class Signer {
  /** With private keys, for a gateway. */
  readonly keyFile: string;
  /** JWKS of the public ones. */
  readonly published: string;
  readonly #keys: Exclude<Awaited<ReturnType<typeof readSigningKeys>>, string>;

  private constructor(keyFile: string, keys: Exclude<Awaited<ReturnType<typeof readSigningKeys>>, string>) {
    this.keyFile = keyFile;
    this.#keys = keys;
    this.published = keys.published;
  }

  static async create(): Promise<Signer> {
    const keyFile = await newSigningKeys(Date.now() / 1000);
    const keys = await readSigningKeys(keyFile);
    if (typeof keys === 'string') throw new Error(keys);
    return new Signer(keyFile, keys);
  }

  /** @param claims over those of an assertion for Ada; made `age` seconds ago, default now, and good for a minute */
  async sign({ age = 0, ...claims }: Readonly<Record<string, unknown>>): Promise<string> {
    const iat = Math.floor(Date.now() / 1000) - Number(age);
    const usual = { iss: 'https://gateway.test', sub: 'ada', provider: 'acme', iat, exp: iat + 60 };
    const made = await signAssertion(this.#keys, { ...usual, ...claims });
    if (!made.ok) throw new Error(made.detail);
    return made.value;
  }
}

/** A lab that has one policy at a time. */
export class PolicyMesh {
  readonly signer: Signer;
  readonly lab: PolicyLab;
  #there: ReturnType<typeof objectsOf> = [];

  private constructor(signer: Signer, lab: PolicyLab) {
    this.signer = signer;
    this.lab = lab;
  }

  /** Starts the services of the policies, with the mesh config of the documentation, and applies the first policy's
   * objects. */
  static async start(stage: Stage, first: string, ...others: readonly string[]): Promise<PolicyMesh> {
    const policies = [first, ...others].map(readPolicy);
    const services = Object.assign({}, ...policies.map((it) => it.services));
    const [signer, lab] = await Promise.all([
      Signer.create(),
      startPolicyLab(stage, { ...policies[0]!, services }, { mesh: documentedMesh() }),
    ]);
    const mesh = new PolicyMesh(signer, lab);
    await mesh.hold(first);
    return mesh;
  }

  /** The present objects. */
  get objects(): readonly KubeObject[] {
    return this.#there;
  }

  /** Deletes an object, so that it is made again. */
  async clear(): Promise<void> {
    await this.lab.lab.change({ delete: this.#there });
    this.#there = [];
  }

  /** Replaces the objects by those of a policy, unchanged or changed. */
  async hold(text: string, changed: (object: KubeObject) => KubeObject = (it) => it): Promise<void> {
    const objects = objectsOf(text, this.signer.published).map(changed);
    const names = new Set(objects.map(nameOf));
    await this.lab.lab.change({ apply: objects, delete: this.#there.filter((it) => !names.has(nameOf(it))) });
    this.#there = objects;
  }
}

const nameOf = ({ kind, metadata }: ReturnType<typeof objectsOf>[number]) =>
  `${kind} ${metadata.namespace}/${metadata.name}`;

/** The result of a request: the status, or how the handshake ended. */
export async function came(answer: Promise<Answer>): Promise<number | string> {
  return answer.then(
    ({ status }) => status,
    (error: { code?: string }) => /ALERT_\w+/.exec(error.code ?? '')?.[0] ?? String(error),
  );
}

let requests = 0;

/** Sends one request, and returns the status and the line of the Envoy's access log. */
export async function logged(
  envoy: MeshEnvoy,
  ask: (sent: Sent) => Promise<Answer>,
  sent: Omit<Sent, 'headers'> & { readonly headers: Readonly<Record<string, string>> },
): Promise<{ readonly status: number; readonly line: Readonly<Record<string, unknown>> }> {
  const traceparent = `00-${(++requests).toString(16).padStart(32, 'a')}-${'b'.repeat(16)}-00`;
  const mark = envoy.box.logs.mark();
  const { status } = await ask({ ...sent, headers: { ...sent.headers, traceparent } });
  // State: the line of this request, by its own trace.
  const text = await envoy.box.logs.waitFor(new RegExp(traceparent), mark, HUNG_MS);
  return { status, line: JSON.parse(text) };
}
