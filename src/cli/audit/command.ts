import { commands } from '../common/context.ts';
import { auditCheckCommand } from './check.ts';
import { auditLinesCommand, auditOcsfCommand, auditPseudonymCommand } from './lines.ts';
import { auditProveCommand } from './prove.ts';
import { redecideCommand } from './redecide.ts';
import { sealCommand } from './seal.ts';
import { auditVerifyCommand } from './verify.ts';
import { auditWitnessCommand } from './witness.ts';

export const auditCommands = commands('Seal the log, and verify what it says', {
  seal: sealCommand,
  verify: auditVerifyCommand,
  prove: auditProveCommand,
  check: auditCheckCommand,
  redecide: redecideCommand,
  witness: auditWitnessCommand,
  lines: auditLinesCommand,
  ocsf: auditOcsfCommand,
  pseudonym: auditPseudonymCommand,
});
