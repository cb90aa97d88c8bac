import { Refused } from './refused.ts';

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

/** The log and the folder for which a sealer was started. Anyone who can write the settings could otherwise let it write
 * elsewhere, for example through links in a folder of their own. */
export type Pinned = Partial<Pick<SealSettings, 'log' | 'folder'>>;

const PINS = ['log', 'folder'] as const;

/** Reads audit/seal.json.
 * @param path for the error
 * @param pinned what the settings must name
 * @throws Refused */
export function readSettings(text: string, path: string, pinned: Pinned = {}): SealSettings {
  let said: Partial<SealSettings> | null;
  try {
    said = JSON.parse(text);
  } catch {
    throw new Refused(`${path} is not JSON: render it from the policy`);
  }
  const { log, folder, origin, policies, witnesses } = said ?? {};
  if (!log || !folder || !origin) throw new Refused(`${path} has no log, folder or origin: render it from the policy`);
  for (const key of PINS) {
    const only = pinned[key];
    if (only !== undefined && said?.[key] !== only)
      throw new Refused(
        `${path} names the ${key} ${said?.[key]}, and this sealer was started for ${only}: write gateway.audit.${key}: ${only}, or start the sealer with the other one`,
      );
  }
  return { log, folder, origin, ...(policies && { policies }), ...(witnesses && { witnesses }) };
}
