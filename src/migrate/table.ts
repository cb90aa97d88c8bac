import type { Findings } from './findings.ts';

/** A setting of another product, and what becomes of it. The pages about migrations show these rows. */
export interface Row {
  readonly name: string;
  /** Its names in other files of the product. */
  readonly aliases: readonly string[];
  /** With this value there is nothing to carry over. */
  readonly same?: string;
  /** The keys of the policy that stand for the setting, or why it needs none. */
  readonly to?: string;
  /** Why the policy does not have it, and what to do. */
  readonly lost?: string;
  /** Set if the setting refuses requests, and closes nothing: without it, more requests pass. */
  readonly refuses?: true | undefined;
}

export type Outcome = Pick<Row, 'to' | 'lost' | 'refuses'>;

export type RowWith<Word extends string> = Row & { readonly [K in Word]?: true };

export type Table<Word extends string> = Readonly<Record<string, readonly RowWith<Word>[]>>;

/** Reads the sections of a table, with a line for each meaning: `names | words | other names | outcome`. The words say
 * something about the value, and `=TEXT` is the value with which there is nothing to carry over. The outcome is `> keys of
 * the policy`, or else why the policy does not have the setting. */
export function tableOf<Word extends string>(sections: Readonly<Record<string, string>>): Table<Word> {
  const lines = Object.entries(sections).map(([title, text]) => [title, text.trim().split('\n')] as const);
  return Object.fromEntries(lines.map(([title, all]) => [title, all.flatMap((it) => rowsOf<Word>(it))]));
}

function rowsOf<Word extends string>(line: string): readonly RowWith<Word>[] {
  const columns = line.split('|').map((it) => it.trim());
  const [names = '', about = '', ...rest] = columns.slice(0, -1);
  const outcome = columns.at(-1) ?? '';
  const words = about.split(' ').filter((it) => it !== '');
  const same = words.find((it) => it.startsWith('='))?.slice(1);
  const row = {
    aliases: rest.flatMap((it) => it.split(' ')).filter((it) => it !== ''),
    ...(same !== undefined && { same }),
    ...(outcome.startsWith('> ') ? { to: outcome.slice(2) } : { lost: outcome }),
    ...Object.fromEntries(words.filter((it) => !it.startsWith('=')).map((it) => [it, true])),
  };
  return names.split(' ').map((name) => ({ name, ...row }) as RowWith<Word>);
}

/** The rows of all sections, by their names. */
export const byName = <Word extends string>(table: Table<Word>): ReadonlyMap<string, RowWith<Word>> =>
  new Map(
    Object.values(table)
      .flat()
      .map((it) => [it.name, it]),
  );

/** Reports what becomes of a setting.
 * @param isSame whether there is nothing to carry over */
export function report({ to, lost, refuses }: Outcome, label: string, isSame: boolean, findings: Findings): void {
  if (lost === undefined) findings.migrated(label, to ?? '');
  else if (isSame) findings.migrated(label, 'the same');
  else findings.lose(label, lost, refuses);
}
