import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { splitJws } from '../../../src/token/format.ts';
import { decodeCanonical } from '../../../src/token/json.ts';
import { holds } from '../../harness/property.ts';
import { anyText } from '../text.ts';
import { buildCase } from './build.ts';
import { caseRunner } from './case.ts';
import { specs } from './specs/index.ts';

const alphabet = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'];
const nearly = fc.string({
  unit: fc.constantFrom(...alphabet, '+', '/', '=', ' ', '\n', '\t', '\f', '\r', '.', 'é', '\u0000'),
  maxLength: 12,
});

describe('decodeCanonical', () => {
  it('takes exactly the canonical spelling of each string of bytes', () => {
    holds(
      fc.property(
        fc.oneof(
          nearly,
          fc.base64String().map((text) => text.replace(/=+$/, '')),
        ),
        (text) => {
          const canonical = Buffer.from(text, 'base64url').toString('base64url') === text;
          expect(decodeCanonical(text) !== undefined).toBe(canonical);
        },
      ),
      5000,
    );
  });
});

describe('splitJws', () => {
  it('takes what the regular expression takes, if its parts are canonical', () => {
    const dotted = fc.array(nearly, { minLength: 2, maxLength: 4 }).map((parts) => parts.join('.'));
    holds(
      fc.property(dotted, (token) => {
        const taken = splitJws(token);
        const [header = '', payload = '', signature = ''] = token.split('.');
        const canonical = [payload, signature].every(
          (part) => Buffer.from(part, 'base64url').toString('base64url') === part,
        );
        // parseHeader reads the header, which knows most of them.
        expect(taken.ok).toBe(/^[^.]+\.[\w-]*\.[\w-]+$/.test(token) && canonical && header !== '');
      }),
      5000,
    );
  });

  it('looks where the dots of the token before were, and is not misled by it', () => {
    const part = fc.constantFrom('', 'QQ', 'QUI', 'QUJD', 'QQ.QQ', '.', 'Q.', '.QUI');
    holds(
      fc.property(
        fc.array(part, { minLength: 3, maxLength: 3 }),
        fc.array(part, { minLength: 1, maxLength: 4 }),
        (before, parts) => {
          splitJws(before.join('.'));
          const token = parts.join('.');
          const taken = splitJws(token);
          expect(taken.ok).toBe(/^[\w-]+\.[\w-]*\.[\w-]+$/.test(token));
          if (!taken.ok) return;
          const [header, payload, signature] = token.split('.') as [string, string, string];
          expect(taken).toEqual({
            ok: true,
            header,
            payload: Buffer.from(payload, 'base64url'),
            signature: Buffer.from(signature, 'base64url'),
            input: new TextEncoder().encode(`${header}.${payload}`),
          });
        },
      ),
      5000,
    );
  });
});

describe('verifyToken', () => {
  const good = specs.filter(({ expect: outcome }) => outcome === 'verified').map(buildCase);
  const run = caseRunner();

  it('refuses every token with one character changed, taken out or put in, and never throws', async () => {
    const anyChange = fc.record({
      testCase: fc.constantFrom(...good),
      place: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      character: fc.constantFrom(...alphabet, '.', '=', ' ', '\u0000', 'é'),
      how: fc.constantFrom('change', 'remove', 'insert'),
    });
    await holds(
      fc.asyncProperty(anyChange, async ({ testCase, place, character, how }) => {
        const { token } = testCase;
        const at = Math.floor(place * token.length);
        const kept = token.slice(how === 'insert' ? at : at + 1);
        const changed = token.slice(0, at) + (how === 'remove' ? '' : character) + kept;
        fc.pre(changed !== token);
        const { outcome } = await run({ ...testCase, token: changed });
        expect(outcome).not.toMatch(/^(verified|thrown)/);
      }),
      3000,
    );
  });

  it('never throws and never passes for any text, nor for any JSON under a good signature', async () => {
    const testCase = buildCase(specs.find(({ name }) => name === 'RS256 holds')!);
    const part = fc.oneof(
      fc.json({ maxDepth: 4 }).map((text) => Buffer.from(text).toString('base64url')),
      fc.base64String(),
      fc.constant(testCase.token.split('.')[0]!),
    );
    const texts = fc.oneof(
      anyText(),
      fc.tuple(part, part, part).map((parts) => parts.join('.')),
    );
    await holds(
      fc.asyncProperty(texts, async (token) => {
        expect((await run({ ...testCase, token })).outcome).not.toMatch(/^(verified|thrown)/);
      }),
      2000,
    );
  });
});
