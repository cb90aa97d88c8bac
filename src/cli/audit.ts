import { buildRouteMap } from '@stricli/core';
import { auditCheckCommand } from './audit-check.ts';
import { auditLinesCommand } from './audit-lines.ts';
import { auditOcsfCommand } from './audit-ocsf.ts';
import { auditProveCommand } from './audit-prove.ts';
import { auditPseudonymCommand } from './audit-pseudonym.ts';
import { redecideCommand } from './audit-redecide.ts';
import { sealCommand } from './audit-seal.ts';
import { auditVerifyCommand } from './audit-verify.ts';
import { auditWitnessCommand } from './audit-witness.ts';
import type { Context } from './context.ts';

export const auditCommands = buildRouteMap<string, Context>({
  routes: {
    seal: sealCommand,
    verify: auditVerifyCommand,
    prove: auditProveCommand,
    check: auditCheckCommand,
    redecide: redecideCommand,
    witness: auditWitnessCommand,
    lines: auditLinesCommand,
    ocsf: auditOcsfCommand,
    pseudonym: auditPseudonymCommand,
  },
  docs: { brief: 'Seal the log, and verify what it says' },
});
