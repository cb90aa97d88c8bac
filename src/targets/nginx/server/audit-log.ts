import type { WitnessSettings } from '../../../audit/seal/settings.ts';
import { originOf } from '../../../policy/schema/audit.ts';
import type { Files } from '../../types.ts';
import type { Context } from '../render-context.ts';

/** The folder of the files for the sealer, below that of the rendered files. */
const FOLDER = 'audit';

/** A compiled policy. Its name contains the digest, which the lines of the log have. */
export const POLICY_FILE = /^audit\/policy-[0-9a-f]{32}\.json$/;

/** The settings of the sealer, in audit/seal.json. */
interface SealSettings {
  /** The file of the JSON log. */
  readonly log: string;
  /** The folder of the transparency log. */
  readonly folder: string;
  /** The name of the transparency log, and of its keys. */
  readonly origin: string;
  readonly witnesses: readonly WitnessSettings[];
  /** The folder of the compiled policies. */
  readonly policies: string;
}

/** The files that the sealer reads: its settings, and the compiled policy, which becomes a part of the sealed log. The
 * SHA-256 of the policy's file begins with the digest in the lines. */
export function auditFiles({ policy, options, compiled, digest }: Context): Files {
  const { audit } = policy.gateway;
  if (audit === undefined || options.inController) return {};
  const settings: SealSettings = {
    log: audit.log,
    folder: audit.folder,
    origin: originOf({ ...audit, instance: options.instance ?? audit.instance }),
    witnesses: audit.witnesses,
    policies: `${options.dir}/${FOLDER}`,
  };
  return {
    [`${FOLDER}/seal.json`]: `${JSON.stringify(settings, null, 2)}\n`,
    [`${FOLDER}/policy-${digest}.json`]: compiled,
  };
}
