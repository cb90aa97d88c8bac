import { type Credential, createCa } from '../harness/pki.ts';
import { spiffe } from './policy.ts';

type Files = Readonly<Record<string, string>>;

/** The certificates of a mesh: its ingress, and identities to reach it as. */
export interface Mesh {
  /** The files of the ingress. */
  readonly ingress: Files;
  /** The files of a gateway with the first `count` identities, as spiffe-helper writes them. */
  svids(count: number): Files;
}

/** Makes a mesh with so many identities. */
export async function createMesh(count: number): Promise<Mesh> {
  const ca = await createCa('meshgate bench mesh CA');
  const server = await ca.server('ingress.bench');
  const made: Credential[] = [];
  for (let i = 0; i < count; i++) made.push(await ca.client(spiffe(i)));
  const files = made.map(({ cert, key }, i): Files => ({ [`id-${i}/svid.pem`]: cert, [`id-${i}/svid_key.pem`]: key }));
  return {
    ingress: { 'mesh.pem': ca.cert, 'ingress.pem': server.pem },
    svids: (wanted) => Object.assign({ 'mesh.pem': ca.cert }, ...files.slice(0, wanted)),
  };
}
