import { type Ring, readRing } from '../session/ring.ts';
import { KeyFile } from './key-file.ts';

/** The file with the session keys, as this context has read it. */
export const ringFile = (path: string): KeyFile<Ring> => new KeyFile(path, readRing, 'no session is opened or sealed');
