import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadPolicy } from '../../../src/cli/common/load.ts';
import { systemRuntime } from '../../../src/cli/machine/runtime.ts';
import { formatError } from '../../../src/policy/index.ts';

/** The command writes to the intended place, whatever links another user has put there before. */

let folder = '';
let elsewhere = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'meshgate-links-'));
  elsewhere = mkdtempSync(join(tmpdir(), 'meshgate-elsewhere-'));
});
afterEach(() => {
  for (const path of [folder, elsewhere]) rmSync(path, { recursive: true });
});

const { write, replace } = systemRuntime();

describe('a secret file', () => {
  test('is not written through a dangling link beside it', () => {
    symlinkSync(join(elsewhere, 'leaked'), join(folder, 'k.jwks.new'));
    replace(join(folder, 'k.jwks'), 'secret');
    expect(readdirSync(elsewhere)).toEqual([]);
    expect(readdirSync(folder)).toEqual(['k.jwks']);
    expect(readFileSync(join(folder, 'k.jwks'), 'utf8')).toBe('secret');
    expect(lstatSync(join(folder, 'k.jwks')).isSymbolicLink()).toBe(false);
  });

  test('is not written through a link to a file beside it', () => {
    writeFileSync(join(elsewhere, 'victim'), 'own');
    symlinkSync(join(elsewhere, 'victim'), join(folder, 'k.jwks.new'));
    replace(join(folder, 'k.jwks'), 'secret');
    expect(readFileSync(join(elsewhere, 'victim'), 'utf8')).toBe('own');
  });

  test('replaces a link, and is readable only by its owner whatever the mode of the link’s target', () => {
    writeFileSync(join(elsewhere, 'open'), 'own', { mode: 0o644 });
    symlinkSync(join(elsewhere, 'open'), join(folder, 'k.jwks'));
    replace(join(folder, 'k.jwks'), 'secret');
    expect(readFileSync(join(elsewhere, 'open'), 'utf8')).toBe('own');
    expect(lstatSync(join(folder, 'k.jwks')).mode & 0o777).toBe(0o600);
  });
});

describe('a rendered file', () => {
  test('replaces a link to a file', () => {
    writeFileSync(join(elsewhere, 'victim'), 'own');
    symlinkSync(join(elsewhere, 'victim'), join(folder, 'http.conf'));
    write(folder, 'http.conf', 'rendered');
    expect(readFileSync(join(elsewhere, 'victim'), 'utf8')).toBe('own');
    expect(lstatSync(join(folder, 'http.conf')).isSymbolicLink()).toBe(false);
    expect(readFileSync(join(folder, 'http.conf'), 'utf8')).toBe('rendered');
  });

  test.each(['http.conf', 'http.conf.new'])('makes no file at the target of the dangling link %s', (name) => {
    symlinkSync(join(elsewhere, 'made'), join(folder, name));
    write(folder, 'http.conf', 'rendered');
    expect(readdirSync(elsewhere)).toEqual([]);
    expect(readdirSync(folder)).toEqual(['http.conf']);
  });

  test('is not written into a folder behind a link', () => {
    symlinkSync(elsewhere, join(folder, 'hosts'));
    expect(() => write(folder, 'hosts/wiki.conf', 'rendered')).toThrow(/link/);
    mkdirSync(join(folder, 'requests'));
    symlinkSync(elsewhere, join(folder, 'requests', 'wiki'));
    expect(() => write(folder, 'requests/wiki/hosts/wiki.conf', 'rendered')).toThrow(/link/);
    expect(readdirSync(elsewhere)).toEqual([]);
  });

  test('makes no folder at the target of a dangling link', () => {
    symlinkSync(join(elsewhere, 'made'), join(folder, 'hosts'));
    expect(() => write(folder, 'hosts/wiki.conf', 'rendered')).toThrow();
    expect(existsSync(join(elsewhere, 'made'))).toBe(false);
  });

  test('is written with its folders, over an existing file, and keeps that file’s mode', () => {
    write(folder, 'requests/wiki/hosts/wiki.conf', 'one');
    const file = join(folder, 'requests/wiki/hosts/wiki.conf');
    rmSync(file);
    writeFileSync(file, 'older', { mode: 0o640 });
    write(folder, 'requests/wiki/hosts/wiki.conf', new TextEncoder().encode('two'));
    expect([readFileSync(file, 'utf8'), lstatSync(file).mode & 0o777]).toEqual(['two', 0o640]);
    expect(readdirSync(join(folder, 'requests/wiki/hosts'))).toEqual(['wiki.conf']);
  });
});

describe('the file of a team', () => {
  const POLICY = `version: 1
providers: { okta: { issuer: https://example.okta.com/oauth2/default, audiences: [api://wiki] } }
services: { wiki: { url: https://ingress.mesh:8443, ca_file: /run/mesh/ca.pem } }
teams: { pay: { file: teams/pay.yaml, hosts: [pay.example.com], services: [wiki] } }
`;
  const TEAM = 'hosts: { pay.example.com: { /*: { service: wiki, allow: [authenticated] } } }\n';
  const errors = () => {
    const loaded = loadPolicy(systemRuntime(), { file: join(folder, 'meshgate.yaml'), overlays: [], env: [] });
    return 'policy' in loaded ? [] : loaded.map(formatError);
  };

  test('is read through the links of a mounted ConfigMap', () => {
    mkdirSync(join(folder, '..2026_12_02', 'teams'), { recursive: true });
    writeFileSync(join(folder, '..2026_12_02', 'meshgate.yaml'), POLICY);
    writeFileSync(join(folder, '..2026_12_02', 'teams', 'pay.yaml'), TEAM);
    symlinkSync('..2026_12_02', join(folder, '..data'));
    for (const name of ['meshgate.yaml', 'teams']) symlinkSync(join('..data', name), join(folder, name));
    expect(errors()).toEqual([]);
  });

  test.each(['the file', 'its folder'])('is not read if %s is a link out of the folder of the policy', (what) => {
    writeFileSync(join(folder, 'meshgate.yaml'), POLICY);
    writeFileSync(join(elsewhere, 'pay.yaml'), 'root:x:0:0\n');
    if (what === 'the file') {
      mkdirSync(join(folder, 'teams'));
      symlinkSync(join(elsewhere, 'pay.yaml'), join(folder, 'teams', 'pay.yaml'));
    } else symlinkSync(elsewhere, join(folder, 'teams'));
    const [error = '', ...others] = errors();
    expect(error).toContain('it is a link to a file outside the folder of the policy; write the file itself');
    expect([error, ...others].join()).not.toContain('root:x');
  });
});
