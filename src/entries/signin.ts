/** The entry of signin.js: the functions for the locations of the sign-in. Checks do not load this bundle. */

import { handlerOf } from '../njs/signin/browser-answer.ts';
import { callback } from '../njs/signin/callback.ts';
import { handover } from '../njs/signin/handover.ts';
import { backchannel } from '../njs/signin/out/backchannel.ts';
import { sayRenamed } from '../njs/signin/out/renamed.ts';
import { watchRevocations } from '../njs/signin/out/revocations.ts';
import { frontchannel, signout } from '../njs/signin/out/signout.ts';
import { refusalHandler } from '../njs/signin/refused.ts';
import { renewHandler } from '../njs/signin/renew/renew-session.ts';
import { serveSignin } from '../njs/signin/signin.ts';
import { signinContext } from '../njs/signin/signin-context.ts';
import table from './policy.js';
import signinTable from './signin-policy.js';

const context = signinContext(table, signinTable);

export default {
  /** `/.meshgate/signin`: begins a sign-in. */
  signin: handlerOf(context, 'signin', serveSignin),
  /** `/.meshgate/callback`: the provider returns browsers to this page. */
  callback: handlerOf(context, 'callback', callback),
  /** `/.meshgate/handover`: the sign-in host returns browsers to this page. */
  handover: handlerOf(context, 'handover', handover),
  /** `/.meshgate/signout`: POST signs out, and GET asks for confirmation. */
  signout: handlerOf(context, 'signout', signout),
  /** `/.meshgate/frontchannel`: the provider signs a person out in the browser. */
  frontchannel: handlerOf(context, 'frontchannel', frontchannel),
  /** `/.meshgate/backchannel`: the provider signs a person out by a message. */
  backchannel: handlerOf(context, 'backchannel', backchannel),
  /** `/.meshgate/page/REASON`: the page of a refusal. */
  page: refusalHandler(context),
  /** `/.meshgate/assets/NAME`: the stylesheet of the pages, and the pictures and fonts of an operator's folder. */
  assets: (r: NginxHTTPRequest): void => context.pages.asset(r),
  /** `/.meshgate/renew`: renews a session that is no longer fresh. The check calls this. */
  renew: renewHandler(context),
  /** `js_periodic`: reads revocations from files of the command, and from other replicas. */
  revocations: (): Promise<void> => {
    sayRenamed(signinTable.names);
    return watchRevocations(signinTable.stateDir, context.store, table.providers);
  },
};
