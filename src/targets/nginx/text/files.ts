import type { Context } from '../render-context.ts';
import { type Directive, line, literal } from './directive.ts';

/** Files with shared directives that other files include. docs/contributing/rendered-nginx.md describes each of them. */
export type FileName =
  | `${'maps' | 'log' | 'inside' | 'server' | 'check' | 'check-session' | 'hop' | 'answer' | 'problem' | 'metadata'}.conf`
  | `refuse${'' | '-pages'}.conf`
  | `${'forms' | 'ask' | 'ask-brief' | 'allowed'}.conf`
  | `${'session' | 'signin' | 'endpoint' | 'endpoint-limit' | 'whoami' | 'page'}.conf`
  | `${'proxy' | 'headers' | 'erase' | 'hidden'}${'' | '-grpc'}.conf`
  | `${'ingress' | 'caller' | 'cors' | 'services/' | 'requests/'}${string}.conf`;

/** A rendered file: its name, its directives, and its purpose, which stands in the first line of the file. */
export type ConfFile = readonly [
  name: FileName | `${'hosts' | 'inner' | 'checks'}/${string}`,
  directives: readonly Directive[],
  what: string,
];

/** The `include` of another rendered file. */
export const included = ({ options }: Pick<Context, 'options'>, file: FileName): Directive =>
  line('include', literal(`${options.dir}/${file}`));

/** Files for parts of a policy. Equal parts share a file. If a name is used again, the later file gets a number. */
export class Shelf<Of> {
  readonly files: ConfFile[] = [];
  readonly #names = new Map<Of, FileName>();
  readonly #texts = new Map<string, FileName>();
  readonly #used = new Map<string, number>();

  /** Puts the directives of a part into a file, unless a file with exactly these directives exists. */
  add(of: Of, base: 'caller' | `services/${string}`, directives: readonly Directive[], what: string): void {
    const text = JSON.stringify([base, directives]);
    let name = this.#texts.get(text);
    if (name === undefined) {
      const count = (this.#used.get(base) ?? 0) + 1;
      this.#used.set(base, count);
      // No name in a policy contains an underscore, so the number cannot be a part of a name.
      name = `${base}${count === 1 ? '' : `_${count}`}.conf`;
      this.#texts.set(text, name);
      this.files.push([name, directives, what]);
    }
    this.#names.set(of, name);
  }

  /** The name of the file for a part. */
  of(of: Of): FileName {
    const name = this.#names.get(of);
    if (name === undefined) throw new Error('nginx: a file is missing');
    return name;
  }
}
