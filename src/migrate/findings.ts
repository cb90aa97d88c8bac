/** What became of the settings of another product. */

export interface Finding {
  /** The setting, as the other product calls it. */
  readonly option: string;
  /** Why, and what to do. It never contains a secret. */
  readonly text: string;
  /** Set if the new policy allows a request that the other product refused. */
  readonly wider?: true;
}

export interface Carried {
  readonly option: string;
  /** The keys of the policy that stand for the setting now. */
  readonly to: string;
}

/** The results of a migration, besides the policy. Each setting is in at least one of the lists. */
export class Findings {
  readonly carried: Carried[] = [];
  readonly notCarried: Finding[] = [];
  readonly differs: Finding[] = [];
  readonly toDo: Finding[] = [];

  migrated(option: string, to: string): void {
    this.carried.push({ option, to });
  }

  /** Reports a setting that the policy does not have.
   * @param wider - set if the setting refused requests */
  lose(option: string, text: string, wider?: true | undefined): void {
    add(this.notCarried, { option, text, ...(wider && { wider }) });
  }

  /** Reports that the gateway decides differently about some requests. */
  differ(option: string, text: string, wider?: true | undefined): void {
    add(this.differs, { option, text, ...(wider && { wider }) });
  }

  /** Reports what a person has to do before the policy works. */
  ask(option: string, text: string): void {
    add(this.toDo, { option, text });
  }
}

function add(list: Finding[], finding: Finding): void {
  if (!list.some(({ option, text }) => option === finding.option && text === finding.text)) list.push(finding);
}
