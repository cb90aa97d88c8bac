import type { Envoy, Stage } from '../../harness/index.ts';
import type { Assertions } from './assertions.ts';
import { Connection } from './connection.ts';
import { envoyView } from './envoy-view.ts';
import { expectedOf } from './expect.ts';
import { Identities } from './identities.ts';
import { askMesh, type Presenter } from './mesh-ask.ts';
import type { Subject } from './policies.ts';
import type { Answer, Cell, Side } from './types.ts';

/** Seconds beyond the clock skew; a skew that is larger by this accepts tokens that expired as long ago. */
const OVER_SKEW = 10;

export function presenterOf(subject: Subject, stage: Pick<Stage, 'meshCa'>, assertions: Assertions): Presenter {
  const identities = new Identities(subject.policy, stage.meshCa);
  const expiredFor = subject.policy.gateway.clockSkew + OVER_SKEW;
  return { view: envoyView(subject), identities, ca: stage.meshCa.cert, assertions, expiredFor };
}

/** A plain Envoy as the ingress, with the rendered configuration. */
export class EnvoySide implements Side {
  readonly name = 'envoy';
  readonly #presenter: Presenter;
  readonly #connection: Connection;

  constructor(envoy: Envoy, presenter: Presenter) {
    const { host, port, name, ca = '' } = envoy.target();
    this.#presenter = presenter;
    this.#connection = new Connection({ host, port, tls: true, name, ca });
  }

  expected(cell: Cell): Answer {
    return expectedOf(cell, this.#presenter.view);
  }

  ask(cell: Cell): Promise<Answer> {
    return askMesh(cell, this.#connection, this.#presenter);
  }
}
