import { expect } from 'vitest';
import type { Answer, Ca, Sent } from '../../harness/index.ts';
import type { MeshEnvoy } from '../lab/index.ts';
import { logged, type PolicyMesh } from './mesh.ts';
import { type Outcome, type Requested, WIKI } from './refusals.ts';

/** Asks each Envoy of a mesh directly. */
export class Query {
  readonly #mesh: PolicyMesh;
  readonly #ca: Ca;
  readonly #pems = new Map<string, Promise<string>>();

  /** @param ca of the mesh */
  constructor(mesh: PolicyMesh, ca: Ca) {
    this.#mesh = mesh;
    this.#ca = ca;
  }

  /** Certificate and key of a SPIFFE id. */
  pem(spiffe: string): Promise<string> {
    const known = this.#pems.get(spiffe) ?? this.#ca.client(spiffe).then(({ pem }) => pem);
    this.#pems.set(spiffe, known);
    return known;
  }

  envoy(
    at: Requested['at'],
  ): MeshEnvoy & { send(pem: string | undefined, authority: string, sent?: Sent): Promise<Answer> } {
    const { ingress, workloads } = this.#mesh.lab;
    return at === 'ingress' ? ingress : workloads.get(at)!;
  }

  /** The status, and the mesh's reason, from the log line of the request. */
  async ask(requested: Requested): Promise<Outcome> {
    const assertion = requested.says && (await this.#mesh.signer.sign(requested.says));
    return this.send(requested, assertion === null ? {} : { 'X-Meshgate-Assertion': assertion });
  }

  /** The same, with these headers instead of an assertion. */
  async send(
    { at, peer, authority = WIKI, method = 'GET', path = '/rest/x' }: Requested,
    headers: Readonly<Record<string, string>>,
  ): Promise<Outcome> {
    const pem = await this.pem(peer);
    const envoy = this.envoy(at);
    const sent = { method, path, headers };
    const { status, line } = await logged(envoy, (it) => envoy.send(pem, authority, it), sent);
    expect(line).toMatchObject({ downstream_peer_uri_san: peer, response_code: status, method, path, authority });
    return [status, String(line.response_code_details)];
  }
}
