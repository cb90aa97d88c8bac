import { type Box, type Stage, startContainer } from '../../harness/index.ts';
import { meshImage } from './image.ts';

export const sdsPort = 8234;

/** Gives pods their mesh certificates, as an Istio agent would: test/mesh/go/sds. */
export class Sds {
  readonly box: Box;

  constructor(box: Box) {
    this.box = box;
  }

  /** Writes a pod's certificate before its Envoy requests it. `name` is `POD.NAMESPACE`. */
  async give(name: string, made: { readonly cert: string; readonly key: string; readonly ca: string }): Promise<void> {
    await this.box.write({
      [`/certs/${name}/cert.pem`]: made.cert,
      [`/certs/${name}/key.pem`]: made.key,
      [`/certs/${name}/ca.pem`]: made.ca,
    });
  }
}

export async function startSds(stage: Stage): Promise<Sds> {
  return new Sds(
    await startContainer(stage, {
      image: meshImage,
      alias: 'sds',
      command: ['sds', `:${sdsPort}`, '/certs'],
      ready: /sds listens/,
    }),
  );
}
