import { readdirSync, readFileSync } from 'node:fs';
import type { ProfileSource } from '../../src/policy/index.ts';

const folder = new URL('../../src/policy/profiles/', import.meta.url);

/** The texts of the profiles that meshgate brings, by the names of their files. */
export const profileFiles: Readonly<Record<string, string>> = Object.fromEntries(
  readdirSync(folder).map((name) => [name, readFileSync(new URL(name, folder), 'utf8')]),
);

/** The profiles that meshgate brings. */
export const profiles: ProfileSource = {
  names: () => Object.keys(profileFiles).map((name) => name.replace(/\.yaml$/, '')),
  read(use) {
    const text = profileFiles[`${use}.yaml`];
    return text === undefined ? { mistake: `no profile ${use}` } : { name: `profiles/${use}.yaml`, text };
  },
};
