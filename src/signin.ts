/** The entry of signin.js: the functions for the locations of the sign-in. It is a separate bundle, so that checks do
 * not load it. */

import { backchannel as hear } from './njs/signin/backchannel.ts';
import { callback as comeBack } from './njs/signin/callback.ts';
import { handlerOf } from './njs/signin/handler.ts';
import { handover as handOver } from './njs/signin/handover.ts';
import { renewHandler } from './njs/signin/renew.ts';
import { watchRevocations } from './njs/signin/revocations.ts';
import { signinScene } from './njs/signin/scene.ts';
import { signin as signIn } from './njs/signin/signin.ts';
import { frontchannel as hearInFrame, signout as signOut } from './njs/signin/signout.ts';
import table from './policy.js';
import signinTable from './signin-policy.js';

const scene = signinScene(table, signinTable);

/** `/.meshgate/signin`: begins a sign-in. */
const signin = handlerOf(scene, 'signin', signIn);

/** `/.meshgate/callback`: the provider returns browsers to this page. */
const callback = handlerOf(scene, 'callback', comeBack);

/** `/.meshgate/handover`: the sign-in host returns browsers to this page. */
const handover = handlerOf(scene, 'handover', handOver);

/** `/.meshgate/signout`: POST signs out, and GET asks for confirmation. */
const signout = handlerOf(scene, 'signout', signOut);

/** `/.meshgate/frontchannel`: the provider signs a person out in the browser. */
const frontchannel = handlerOf(scene, 'frontchannel', hearInFrame);

/** `/.meshgate/backchannel`: the provider signs a person out by a message. */
const backchannel = handlerOf(scene, 'backchannel', hear);

/** `/.meshgate/page/REASON`: the page of a refusal. */
const page = (r: NginxHTTPRequest): void => scene.pages.refusal(r);

/** `/.meshgate/assets/NAME`: the stylesheet of the pages, and the pictures and fonts of an operator's folder. */
const assets = (r: NginxHTTPRequest): void => scene.pages.asset(r);

/** `/.meshgate/renew`: the check has a session renewed that is no longer fresh. */
const renew = renewHandler(scene);

/** `js_periodic`: reads revocations from files of the command, and from other replicas. */
const revocations = (): Promise<void> =>
  watchRevocations(signinTable.stateDir, scene.store, Object.keys(table.providers));

export default {
  signin,
  callback,
  handover,
  signout,
  frontchannel,
  backchannel,
  page,
  assets,
  renew,
  revocations,
};
