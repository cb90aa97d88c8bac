import { covers } from '../../rules/cover.ts';
import type { Path, Rule } from '../../rules/types.ts';
import type { Client } from './identity.ts';
import { coversMethod, NAMED, REST } from './methods.ts';

/** Who reaches a path, method by method; {@link REST} stands for the methods that no route can name. */
export type Reach = ReadonlyMap<string, readonly Client[]>;

export const METHODS: readonly string[] = [...NAMED, REST];

/** The same clients are the same text. */
export const textOf = (clients: readonly Client[]): string => clients.map(({ name }) => name).join(' ');

export const sameReach = (a: Reach, b: Reach): boolean =>
  METHODS.every((method) => textOf(a.get(method) ?? []) === textOf(b.get(method) ?? []));

export const NOBODY: Reach = new Map(METHODS.map((method) => [method, []]));

const byName = (clients: Iterable<Client>): readonly Client[] => {
  const unique = new Map([...clients].map((client) => [client.name, client]));
  return [...unique.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
};

/** Whom one of the two lets pass. */
export function union(a: Reach, b: Reach): Reach {
  return new Map(METHODS.map((method) => [method, byName([...(a.get(method) ?? []), ...(b.get(method) ?? [])])]));
}

/** Rules with the paths that they share: most rules of a policy have those of their route. */
export class Paths {
  readonly #routes = new Map<Path, Rule[]>();
  readonly #client: (rule: Rule) => Client;

  constructor(rules: readonly Rule[], client: (rule: Rule) => Client) {
    this.#client = client;
    for (const rule of rules) {
      const own = this.#routes.get(rule.path);
      if (own === undefined) this.#routes.set(rule.path, [rule]);
      else own.push(rule);
    }
  }

  get all(): Iterable<Path> {
    return this.#routes.keys();
  }

  /** Who the rules let reach a path. */
  at(path: string): Reach {
    const rules = [...this.#routes].flatMap(([own, rules]) => (covers(own, path) ? rules : []));
    const clients = (method: string) => rules.filter((rule) => coversMethod(rule, method)).map(this.#client);
    return new Map(METHODS.map((method) => [method, byName(clients(method))]));
  }
}
