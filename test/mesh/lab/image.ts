import { meshImage } from '../../harness/images.ts';
import { lacksImage } from '../../harness/needs.ts';

export { meshImage };

/** What the tests on a real mesh lack, in one line, for `describeWith`; undefined: nothing. The image is built from Go
 * modules. */
export const lacksMesh = (): string | undefined => lacksImage(meshImage, 'mesh');
