import { isRepeated, WITNESS_INTERVAL_S } from '../../base/limits.ts';
import type { WitnessSettings } from '../seal/settings.ts';
import { type CosigningMachine, cosign } from './witnesses.ts';

interface Turn {
  readonly witness: WitnessSettings;
  /** When it was last asked, and when a problem was last printed. */
  requested: number;
  reported: number;
  running: Promise<void> | undefined;
}

/** Asks the witnesses of a log for cosignatures, beside the sealer: no turn of the sealer waits for an answer. */
export class Submitter {
  readonly #machine: CosigningMachine;
  readonly #say: (text: string) => void;
  readonly #turns: readonly Turn[];

  /** @param say prints a line */
  constructor(witnesses: readonly WitnessSettings[], machine: CosigningMachine, say: (text: string) => void) {
    this.#machine = machine;
    this.#say = say;
    const never = Number.NEGATIVE_INFINITY;
    this.#turns = witnesses.map((witness) => ({ witness, requested: never, reported: never, running: undefined }));
  }

  /** Starts the requests that are due. */
  turn(): void {
    const now = this.#machine.now();
    for (const turn of this.#turns) {
      if (turn.running !== undefined || (now >= turn.requested && now - turn.requested < WITNESS_INTERVAL_S)) continue;
      turn.requested = now;
      turn.running = this.#ask(turn);
    }
  }

  /** Sends the last checkpoint to each witness, and waits for the answers. */
  async end(): Promise<void> {
    await Promise.all(this.#turns.map(({ running }) => running));
    await Promise.all(this.#turns.map((turn) => this.#ask(turn)));
  }

  async #ask(turn: Turn): Promise<void> {
    try {
      await cosign(this.#machine, turn.witness);
    } catch (error) {
      const now = this.#machine.now();
      if (isRepeated(turn.reported, now)) return;
      turn.reported = now;
      this.#say(`the witness ${turn.witness.url}: ${(error as Error).message}; it is asked again`);
    } finally {
      turn.running = undefined;
    }
  }
}
