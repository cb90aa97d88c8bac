import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { sendJson } from './body.ts';

/** The treatment of the calls of one path. */
export interface Control {
  /** The call is processed (a grant is used up), but the connection is closed instead of the answer. */
  readonly lose?: boolean;
  /** Not processed; answered with this status. */
  readonly fail?: number;
  /** Not processed; answered with exactly this. */
  readonly answer?: { readonly status: number; readonly body: string };
  /** Not processed and never answered, until the client disconnects. */
  readonly hang?: boolean;
  /** Not processed before the path has a new control, so that a test decides by a state when the answer comes, and not
   * by a time. */
  readonly hold?: boolean;
  /** Processed at once, and answered when the path has a new control. */
  readonly holdAnswer?: boolean;
  /** For this number of calls; by default for all. */
  readonly times?: number;
}

/** Counts calls by path, and applies controls to them. */
export class Controls {
  #calls: Record<string, number> = {};
  readonly #controls = new Map<string, { control: Control; left: number }>();
  readonly #held = new Map<string, (() => void)[]>();

  /** Calls by path since the start or the last {@link forget}. */
  get calls(): Readonly<Record<string, number>> {
    return this.#calls;
  }

  forget(): void {
    this.#calls = {};
  }

  /** Sets the control of one path from now on; without any member it has none. Held calls continue. */
  set(path: string, control: Control): void {
    const held = this.#held.get(path) ?? [];
    this.#held.delete(path);
    for (const go of held) go();
    if (Object.keys(control).length === 0) this.#controls.delete(path);
    else this.#controls.set(path, { control, left: control.times ?? Number.POSITIVE_INFINITY });
  }

  /** The handler behind the controls. */
  around(handler: RequestListener): RequestListener {
    return (request, response) => {
      this.#run(request, response, handler).catch((error: unknown) => response.destroy(error as Error));
    };
  }

  async #run(request: IncomingMessage, response: ServerResponse, handler: RequestListener): Promise<void> {
    const path = (request.url ?? '').split('?')[0] ?? '';
    this.#calls[path] = (this.#calls[path] ?? 0) + 1;
    const control = this.#next(path);
    if (control.hang) return;
    if (control.hold) await this.#hold(path);
    if (control.fail !== undefined) return sendJson(response, control.fail, { error: 'server_error' });
    if (control.answer !== undefined) {
      response.writeHead(control.answer.status, { 'Content-Type': 'application/json' }).end(control.answer.body);
      return;
    }
    if (control.lose) lose(response);
    else if (control.holdAnswer) late(response, this.#hold(path));
    handler(request, response);
  }

  #hold(path: string): Promise<void> {
    return new Promise((resolve) => {
      this.#held.set(path, [...(this.#held.get(path) ?? []), resolve]);
    });
  }

  #next(path: string): Control {
    const found = this.#controls.get(path);
    if (found === undefined) return {};
    found.left -= 1;
    if (found.left <= 0) this.#controls.delete(path);
    return found.control;
  }
}

/** The handler's answer is discarded. */
function lose(response: ServerResponse): void {
  response.write = () => true;
  response.end = () => {
    response.destroy();
    return response;
  };
}

/** The handler's answer is sent later. Services write theirs in one piece. */
function late(response: ServerResponse, until: Promise<unknown>): void {
  const end = response.end.bind(response) as (...args: unknown[]) => ServerResponse;
  response.end = (...args: unknown[]) => {
    void until.then(() => end(...args));
    return response;
  };
}
