import { buildRouteMap } from '@stricli/core';
import { auditCheckCommand } from './audit-check.ts';
import { auditProveCommand } from './audit-prove.ts';
import { redecideCommand } from './audit-redecide.ts';
import { auditVerifyCommand } from './audit-verify.ts';
import type { Context } from './context.ts';

export const auditCommands = buildRouteMap<string, Context>({
  routes: {
    verify: auditVerifyCommand,
    prove: auditProveCommand,
    check: auditCheckCommand,
    redecide: redecideCommand,
  },
  docs: { brief: 'Verify what the log says' },
});
