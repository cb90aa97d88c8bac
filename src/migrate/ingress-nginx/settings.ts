import type { Findings } from '../findings.ts';
import { report } from '../table.ts';
import { truthOf } from '../text-forms.ts';
import { annotationsByName } from './annotations.ts';
import type { Ingress } from './read.ts';
import { meaningful, switches, trimmed, words } from './values.ts';

/** Annotations of tools that keep reading the Ingress, or that only describe it. */
const OF_TOOLS =
  /^(?:kubectl\.kubernetes\.io\/|meta\.helm\.sh\/|argocd\.argoproj\.io\/|app\.kubernetes\.io\/|helm\.sh\/|field\.cattle\.io\/|kubernetes\.io\/ingress\.class$)/;

/** The annotations of one Ingress that ingress-nginx reads. */
export class Annotations {
  readonly #all = new Map<string, string>();
  /** Set if an annotation may restrict access in a way that is not known: under another prefix, or with a value that
   * ingress-nginx does not accept. */
  readonly isUnclear: boolean;
  readonly label: (name: string) => string;

  /** @param risky the annotations that the controller does not accept
   * @param findings receives what becomes of each annotation, as far as the table says it */
  constructor(ingress: Ingress, prefix: string, risky: ReadonlySet<string>, findings: Findings) {
    const of = `${ingress.namespace}/${ingress.name}`;
    this.label = (name) => `${of} ${name}`;
    let unclear = false;
    for (const [name, value] of ingress.annotations) {
      const [, before = '', short = ''] = /^(?:(.*)\/)?([^/]*)$/.exec(name) ?? [];
      const known = annotationsByName.get(short);
      if (before === prefix) {
        this.#all.set(short, value);
        if (known === undefined)
          findings.lose(this.label(short), 'ingress-nginx 1.15 has no such annotation: check its spelling');
        else report(known, this.label(short), isSame(known.same, trimmed(value)), findings);
        unclear ||= isRefused(this.label(short), short, value, { namespace: ingress.namespace, risky }, findings);
        continue;
      }
      const label = this.label(name.slice(0, 200));
      if (OF_TOOLS.test(name)) findings.migrated(label, 'nothing: ingress-nginx does not read it');
      else if (known === undefined) {
        findings.lose(label, 'ingress-nginx does not read it: check whether another tool needs it for the new objects');
      } else {
        unclear ||= known.restricts === true;
        const why = `another prefix than ${prefix}: if the controller was started with --annotations-prefix, give that flag to this command`;
        findings.lose(label, known.restricts ? `${why}. Until then, the paths of this Ingress are closed` : why);
      }
    }
    this.isUnclear = unclear;
  }

  has(name: string): boolean {
    return this.#all.has(name);
  }

  text(name: string): string | undefined {
    const value = trimmed(this.#all.get(name) ?? '');
    return value === '' ? undefined : value;
  }

  /** A text of few, as ingress-nginx reads it. */
  word(name: keyof typeof words): string {
    const { known, otherwise } = words[name];
    return known.find((it) => it === this.text(name)) ?? otherwise;
  }

  /** Whether the annotation is true, as ingress-nginx reads it. */
  is(name: keyof typeof switches): boolean {
    return truthOf(this.#all.get(name)) ?? switches[name];
  }

  /** A value as the file has it. */
  raw(name: string): string | undefined {
    return this.#all.get(name);
  }

  list(name: string): readonly string[] {
    return (this.text(name) ?? '').split(',').flatMap((it) => trimmed(it) || []);
  }
}

interface Controller {
  readonly namespace: string;
  readonly risky: ReadonlySet<string>;
}

const quoted = (text: string): string => JSON.stringify(text.slice(0, 60));

/** Whether ingress-nginx refuses requests because of an annotation, or leaves its Ingress out. Reports this, and what
 * ingress-nginx takes for a text that it does not know. */
function isRefused(label: string, name: string, value: string, { namespace, risky }: Controller, findings: Findings) {
  const text = trimmed(value);
  if (risky.has(name)) {
    const why =
      'annotations-risk-level of the ConfigMap does not accept this annotation, so ingress-nginx leaves the Ingress out';
    findings.ask(label, `${why}. The paths are closed: write who may pass`);
    return true;
  }
  const known: readonly string[] | undefined = Object.hasOwn(words, name)
    ? words[name as keyof typeof words].known
    : undefined;
  if (known !== undefined && !known.includes(text))
    findings.differ(
      label,
      `ingress-nginx does not know ${quoted(value)}, and takes "${words[name as 'satisfy'].otherwise}"`,
    );
  if (Object.hasOwn(switches, name) && truthOf(value) === undefined)
    findings.differ(label, `ingress-nginx does not know ${quoted(value)}, and takes "${switches[name as 'canary']}"`);
  if (!Object.hasOwn(meaningful, name) || value === '' || meaningful[name]?.(text, namespace) === true) return false;
  const why = `ingress-nginx does not accept this value, so it refuses the requests or leaves the Ingress out`;
  findings.ask(label, `${why}. The paths are closed: correct the value, or write who may pass`);
  return true;
}

const isSame = (same: string | undefined, value: string): boolean =>
  same !== undefined && (same === value || (truthOf(same) !== undefined && truthOf(same) === truthOf(value)));
