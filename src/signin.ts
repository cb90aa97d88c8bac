/** What the rendered locations of the sign-in call. A bundle of its own: no check carries it along. */

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

/** `/.meshgate/callback`: where the provider sends browsers back. */
const callback = handlerOf(scene, 'callback', comeBack);

/** `/.meshgate/handover`: where the sign-in's host sends browsers back. */
const handover = handlerOf(scene, 'handover', handOver);

/** `/.meshgate/signout`: a POST signs out, a GET asks. */
const signout = handlerOf(scene, 'signout', signOut);

/** `/.meshgate/frontchannel`: the provider signs out in the browser. */
const frontchannel = handlerOf(scene, 'frontchannel', hearInFrame);

/** `/.meshgate/backchannel`: the provider signs out by itself. */
const backchannel = handlerOf(scene, 'backchannel', hear);

/** `/.meshgate/page/REASON`: what browsers see of a refusal. */
const page = (r: NginxHTTPRequest): void => scene.pages.refusal(r);

/** `/.meshgate/assets/NAME`: the stylesheet of the pages, and what an operator's folder has. */
const assets = (r: NginxHTTPRequest): void => scene.pages.asset(r);

/** `/.meshgate/renew`: the check asks about a session that is not fresh any more. */
const renew = renewHandler(scene);

/** `js_periodic`: takes what is to be called back, from the command and from other replicas. */
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
