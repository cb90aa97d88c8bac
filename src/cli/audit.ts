import { buildRouteMap } from '@stricli/core';
import { redecideCommand } from './audit-redecide.ts';
import type { Context } from './context.ts';

export const auditCommands = buildRouteMap<string, Context>({
  routes: { redecide: redecideCommand },
  docs: { brief: 'Verify what the log says' },
});
