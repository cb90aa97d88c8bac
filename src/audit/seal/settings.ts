import { Refused } from './fatal.ts';

/** A witness: where checkpoints are sent, and the key of its cosignatures. */
export interface WitnessSettings {
  readonly url: string;
  readonly key: string;
  /** The file of the CA of its certificate. Default: the CAs of the system. */
  readonly caFile?: string | undefined;
}

/** The settings of a sealer. The rendered policy has them in audit/seal.json. */
export interface SealSettings {
  /** The file that nginx writes. */
  readonly log: string;
  /** The folder of the transparency log. */
  readonly folder: string;
  readonly origin: string;
  /** The folder of the compiled policies. */
  readonly policies?: string;
  /** The compiled policy, if there is no such folder. */
  readonly compiled?: { readonly digest: string; readonly text: string };
  /** The folder of key and state. Default: `private` in the folder of the log. */
  readonly keyFolder?: string;
  /** Witnesses that cosign the checkpoints. With one of them, the key does not evolve. */
  readonly witnesses?: readonly WitnessSettings[];
  /** Seconds for which a key signs, if there is no witness. Default: an hour. */
  readonly keyInterval?: number;
  /** Whether rotated files that have the names of the image are removed when they are sealed. */
  readonly removeRotated?: boolean;
}

/** For what a sealer was started: the log, the folder, and the keys of the witnesses. Anyone who can write the settings could
 * otherwise let it write elsewhere, for example through links in a folder of their own, or let its key never change. */
interface Pinned {
  readonly log?: string;
  readonly folder?: string;
  /** Default if something else is pinned: none. */
  readonly witnesses?: readonly string[];
}

const PINS = ['log', 'folder'] as const;

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';

/** The name and the id of a witness's key, without the key. */
const idOf = (key: string): string => key.split('+', 2).join('+').slice(0, 300);

/** Names witnesses by their keys. */
const namesOf = (keys: readonly string[]): string =>
  keys.length === 0 ? 'no witness' : keys.map(idOf).sort().join(' and ').slice(0, 2000);

/** Describes the settings that decide what a sealer signs, for a leaf of the log. */
export const settingsText = ({ log, witnesses = [] }: SealSettings): string =>
  `log ${log.slice(0, 2000)}, ${namesOf(witnesses.map(({ key }) => key))}`;

/** Reads audit/seal.json.
 * @param path for the error
 * @param pinned what the settings must name
 * @throws Refused */
export function readSettings(text: string, path: string, pinned: Pinned = {}): SealSettings {
  let reported: Partial<SealSettings> | null;
  try {
    reported = JSON.parse(text);
  } catch {
    throw new Refused(`${path} is not JSON: render it from the policy`);
  }
  const { log, folder, origin, policies, witnesses = [] } = reported ?? {};
  if (!isText(log) || !isText(folder) || !isText(origin))
    throw new Refused(`${path} has no log, folder or origin: render it from the policy`);
  if (
    !Array.isArray(witnesses) ||
    !witnesses.every((it) => isText(it?.key)) ||
    !(policies === undefined || isText(policies))
  )
    throw new Refused(`${path} has witnesses or policies of another form: render it from the policy`);
  for (const key of PINS) {
    const only = pinned[key];
    if (only !== undefined && reported?.[key] !== only)
      throw new Refused(
        `${path} names the ${key} ${reported?.[key]}, and this sealer was started for ${only}: write gateway.audit.${key}: ${only}, or start the sealer with the other one`,
      );
  }
  const isPinned = Object.values(pinned).some((it) => it !== undefined);
  const [keys, only] = [witnesses.map(({ key }) => key), pinned.witnesses ?? []];
  if (isPinned && [...keys].sort().join(' ') !== [...only].sort().join(' '))
    throw new Refused(
      `${path} names ${namesOf(keys)}, and this sealer was started for ${namesOf(only)}: write the keys of gateway.audit.witnesses into MESHGATE_SEAL_WITNESSES of the sealer's container`,
    );
  return { log, folder, origin, ...(policies && { policies }), ...(witnesses.length > 0 && { witnesses }) };
}
