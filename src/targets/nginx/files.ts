import { type Directive, line, literal } from './directive.ts';
import type { Scene } from './scene.ts';

/** Files that others include for what they share. docs/nginx.md describes each. */
export type FileName =
  | `${'maps' | 'log' | 'inside' | 'server' | 'check' | 'check-session' | 'hop' | 'answer' | 'problem' | 'metadata'}.conf`
  | `refuse${'' | '-pages'}.conf`
  | `${'session' | 'signin' | 'endpoint' | 'endpoint-limit' | 'whoami' | 'page'}.conf`
  | `${'proxy' | 'headers' | 'erase'}${'' | '-grpc'}.conf`
  | `${'ingress' | 'caller' | 'cors' | 'services/' | 'requests/'}${string}.conf`;

/** A rendered file: its name, its content, and its purpose, which its first line says. */
export type ConfFile = readonly [
  name: FileName | `${'hosts' | 'inner'}/${string}`,
  directives: readonly Directive[],
  what: string,
];

/** `include` of another rendered file. */
export const included = ({ options }: Pick<Scene, 'options'>, file: FileName): Directive =>
  line('include', literal(`${options.dir}/${file}`));

/** Files for things of a policy. Things with equal content share a file. Of several files with one name, the first has
 * the plain name and the others are numbered. */
export class Shelf<Of> {
  readonly files: ConfFile[] = [];
  readonly #names = new Map<Of, FileName>();
  readonly #texts = new Map<string, FileName>();
  readonly #used = new Map<string, number>();

  /** Puts a thing's directives into a file, unless a file has exactly these. */
  add(of: Of, base: 'caller' | `services/${string}`, directives: readonly Directive[], what: string): void {
    const text = JSON.stringify([base, directives]);
    let name = this.#texts.get(text);
    if (name === undefined) {
      const count = (this.#used.get(base) ?? 0) + 1;
      this.#used.set(base, count);
      // No name in a policy has an underscore.
      name = `${base}${count === 1 ? '' : `_${count}`}.conf`;
      this.#texts.set(text, name);
      this.files.push([name, directives, what]);
    }
    this.#names.set(of, name);
  }

  /** The name of a thing's file. */
  of(of: Of): FileName {
    const name = this.#names.get(of);
    if (name === undefined) throw new Error('nginx: a file is missing');
    return name;
  }
}
