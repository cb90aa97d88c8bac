import { type Ring, readRing } from '../../session/keys/ring.ts';
import { KeyFile } from './key-file.ts';

/** Makes the reader for the file of session keys. */
export const ringFile = (path: string): KeyFile<Ring> => new KeyFile(path, readRing, 'no session is opened or sealed');
