import type { Findings } from '../findings.ts';
import { type Annotation, annotationsByName } from './annotations.ts';
import type { Ingress } from './read.ts';

/** The prefix of annotations if the controller was not started with another one. */
export const PREFIX = 'nginx.ingress.kubernetes.io';

/** Annotations of tools that keep reading the Ingress, or that only describe it. */
const OF_TOOLS =
  /^(?:kubectl\.kubernetes\.io\/|meta\.helm\.sh\/|argocd\.argoproj\.io\/|app\.kubernetes\.io\/|helm\.sh\/|field\.cattle\.io\/|kubernetes\.io\/ingress\.class$)/;

/** The annotations of one Ingress that ingress-nginx reads. */
export class Annotations {
  readonly #all = new Map<string, string>();
  /** Set if an annotation under another prefix would restrict access: the controller may have read it. */
  readonly isUnclear: boolean;
  readonly label: (name: string) => string;

  /** @param findings receives what becomes of each annotation, as far as the table says it */
  constructor(ingress: Ingress, prefix: string, findings: Findings) {
    const of = `${ingress.namespace}/${ingress.name}`;
    this.label = (name) => `${of} ${name}`;
    let unclear = false;
    for (const [name, value] of ingress.annotations) {
      const [, before = '', short = ''] = /^(?:(.*)\/)?([^/]*)$/.exec(name) ?? [];
      const known = annotationsByName.get(short);
      if (before === prefix) {
        this.#all.set(short, value.trim());
        report(this.label(short), value.trim(), known, findings);
        continue;
      }
      const label = this.label(name.slice(0, 200));
      if (OF_TOOLS.test(name)) findings.carry(label, 'nothing: ingress-nginx does not read it');
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
    const value = this.#all.get(name);
    return value === '' ? undefined : value;
  }

  is(name: string, usual = false): boolean {
    return truthOf(this.text(name)) ?? usual;
  }

  list(name: string): readonly string[] {
    return (this.text(name) ?? '').split(',').flatMap((it) => it.trim() || []);
  }
}

/** What ingress-nginx reads in a text that should be true or false: with another text, such as `no`, its default applies. */
export function truthOf(text: string | undefined): boolean | undefined {
  if (['1', 't', 'T', 'true', 'TRUE', 'True'].includes(text ?? '')) return true;
  return ['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(text ?? '') ? false : undefined;
}

function report(label: string, value: string, known: Annotation | undefined, findings: Findings): void {
  if (known === undefined) findings.lose(label, 'ingress-nginx 1.15 has no such annotation: check its spelling');
  else if (known.lost === undefined) findings.carry(label, known.to ?? '');
  else if (known.same === value.toLowerCase()) findings.carry(label, 'the same');
  else findings.lose(label, known.lost, known.refuses);
}
