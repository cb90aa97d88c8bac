import { refuseWith } from './answer.ts';
import type { SigninScene } from './scene.ts';
import { type Visit, visitOf } from './visit.ts';

/** Makes a `js_content` handler. An error is logged in one line, and the browser gets a page without details.
 * @param what name of this part of the sign-in, for the log */
export function handlerOf(
  scene: SigninScene,
  what: string,
  handle: (scene: SigninScene, visit: Visit) => Promise<void>,
): (r: NginxHTTPRequest) => Promise<void> {
  return async (r) => {
    const visit = visitOf(r);
    try {
      await handle(scene, visit);
    } catch (error) {
      ngx.log(ngx.ERR, `meshgate: ${what}: ${(error as Error).message}`);
      refuseWith(scene.pages, visit, 'check_unavailable');
    }
  };
}
