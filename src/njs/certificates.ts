import { CERTIFICATES_PER_CONTEXT } from '../limits.ts';
import { type Result, refuse } from '../reasons.ts';

/** Whoever has one certificate mostly asks several times: what was read last is found without a look-up. */
interface Last<T> {
  readonly escaped: string;
  readonly read: Result<T>;
}

/**
 * Reads certificates as nginx passes them, in `SSL-Client-Cert`, each once per context.
 *
 * @param read what is made of the text, see {@link readClientCertificate} and {@link readSvid}
 * @returns gives that, or `proof_invalid` once the certificate has expired: nginx looks at dates as it connects only
 */
export function certificateReader<T extends { readonly notAfter: number }>(
  read: (escaped: string) => Result<T>,
): (escaped: string, now: number) => Result<T> {
  const known = new Map<string, Result<T>>();
  let last: Last<T> | undefined;

  function recall(escaped: string): Result<T> {
    let made = known.get(escaped);
    if (made === undefined) {
      made = read(escaped);
      if (known.size >= CERTIFICATES_PER_CONTEXT) known.clear();
      known.set(escaped, made);
    }
    last = { escaped, read: made };
    return made;
  }

  return (escaped, now) => {
    const made = last?.escaped === escaped ? last.read : recall(escaped);
    if (!made.ok || made.value.notAfter > now) return made;
    return refuse('proof_invalid', 'the client certificate has expired');
  };
}
