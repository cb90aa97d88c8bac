import { type Directive, line, literal } from './directive.ts';
import type { Scene } from './scene.ts';

/** Files that others include, in the place of what they share. docs/nginx.md says what each holds. */
export type FileName =
  | `${'inside' | 'server' | 'check' | 'hop' | 'answer' | 'refuse' | 'refuse-pages' | 'problem' | 'metadata'}.conf`
  | `${'session' | 'signin' | 'endpoint' | 'endpoint-limit' | 'whoami' | 'page'}.conf`
  | `${'proxy' | 'headers' | 'erase'}${'' | '-grpc'}.conf`
  | `${'ingress' | 'caller' | 'cors' | 'services/' | 'requests/'}${string}.conf`;

/** A rendered file: its name, what it holds, and what it is for, which its first line says. */
export type ConfFile = readonly [
  name: FileName | `${'hosts' | 'inner'}/${string}`,
  directives: readonly Directive[],
  what: string,
];

/** `include` of another rendered file. */
export const included = ({ options }: Pick<Scene, 'options'>, file: FileName): Directive =>
  line('include', literal(`${options.dir}/${file}`));

/** Files for things of a policy. Equal ones are one file; of a name, the first has it alone and others are numbered. */
export class Shelf<Of> {
  readonly files: ConfFile[] = [];
  readonly #names = new Map<Of, FileName>();
  readonly #texts = new Map<string, FileName>();
  readonly #used = new Map<string, number>();

  /** Puts what a thing needs into a file, unless one has just that. */
  add(of: Of, base: 'caller' | `services/${string}`, directives: readonly Directive[], what: string): void {
    const text = JSON.stringify([base, directives]);
    let name = this.#texts.get(text);
    if (name === undefined) {
      const count = (this.#used.get(base) ?? 0) + 1;
      this.#used.set(base, count);
      // No name of a policy has an underscore.
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
