import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { safeReturn } from '../../../src/session/flow/signin-request.ts';
import { MAX_RETURN_LENGTH } from '../../../src/session/limits.ts';
import { holds } from '../../harness/property.ts';

const origin = 'https://wiki.example.com';

describe('safeReturn', () => {
  it.each([
    '/',
    '/display/HOME',
    '/display/HOME/My%20Page?src=search&q=a+b#part',
    '/My%20Page',
    '/pages/viewpage.action?pageId=17&to=//evil.example.com',
    '/login?os_destination=%2F%2Fevil.example.com',
    '/@evil.example.com',
    '/.well-known/x',
    '/.meshgatex',
    '/%C3%A9t%C3%A9',
    `/${'x'.repeat(MAX_RETURN_LENGTH - 1)}`,
  ])('keeps %.60s', (target) => {
    expect(safeReturn(target)).toBe(target);
  });

  it.each([
    '',
    'x',
    'https://evil.example.com/',
    'https:/evil.example.com',
    'javascript:alert(1)',
    'data:text/html,x',
    '//evil.example.com',
    '///evil.example.com',
    '/\\evil.example.com',
    '\\\\evil.example.com',
    '/\\/evil.example.com',
    '/%5cevil.example.com',
    '/%2fevil.example.com',
    '/%2Fevil.example.com',
    '/\tevil.example.com',
    '/\t/evil.example.com',
    '/\n/evil.example.com',
    '/\r\nLocation: https://evil.example.com',
    '/%09/evil.example.com',
    '/%0a/evil.example.com',
    '/%0d%0aSet-Cookie:x=y',
    '/%20/evil.example.com',
    '/%C2%A0/evil.example.com',
    '/%E2%80%A8/evil.example.com',
    '/a%0ab',
    '/ /evil.example.com',
    '/\u00a0/evil.example.com',
    '/\u2028/evil.example.com',
    '/.',
    '/..',
    '/./evil.example.com',
    '/../evil.example.com',
    '/.\\.',
    '/a/..//evil.example.com',
    '/%2e%2e/evil.example.com',
    '/a;/b',
    '/a#b//c',
    '.evil.example.com',
    '@evil.example.com',
    ':443@evil.example.com',
    '/.meshgate/signout',
    '/.meshgate/signin?in&to=/',
    '/.meshgate',
    '/.MESHGATE/signout',
    '/.meshgate?x',
    '/%00',
    '/x\u0000',
    `/${'x'.repeat(MAX_RETURN_LENGTH)}`,
  ])('returns / for %j', (target) => {
    expect(safeReturn(target)).toBe('/');
  });

  it('leads nowhere else, however the target is made', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        ...['/', '\\', '//', '/\\', '%2f', '%5C', '%09', '%0d', '%0a', '%20', '\t', '\r', '\n', ' ', '\u00a0', '.'],
        ...['..', ':', '@', '?', '#', ';', 'https:', 'javascript:', 'evil.example.com', '.evil.example.com', '\u2028'],
        ...['wiki.example.com', '%00', '\u0000', '%E2%80%A8', '%', '&', 'to=', '.meshgate', '。', '／', '＠'],
      ),
      fc.string({ unit: 'binary', maxLength: 3 }),
      fc.string({ maxLength: 5 }),
    );
    const targets = fc
      .tuple(fc.constantFrom('', '/', '/', '/'), fc.array(piece, { maxLength: 8 }))
      .map(([slash, pieces]) => slash + pieces.join(''));
    holds(
      fc.property(targets, (target) => {
        const to = safeReturn(target);
        expect(to === '/' || to === target).toBe(true);
        // As a browser reads a Location, and as it reads a link of the gateway's page.
        for (const base of [`${origin}/`, `${origin}/.meshgate/callback?code=x`, 'https://auth.example.com/']) {
          const seen = new URL(to, base);
          expect(seen.origin).toBe(new URL(base).origin);
          expect(seen.pathname.startsWith('/.meshgate/')).toBe(false);
        }
        expect(new URL(origin + to).origin).toBe(origin);
        expect(to).toMatch(/^\/[\x21-\x7e]*$/);
        for (const decoded of [to, decodeSafely(to)]) expect(decoded).not.toMatch(/^\/[\s/\\\x00-\x1f]/);
        // A safe value stays unchanged.
        expect(safeReturn(to)).toBe(to);
      }),
      5_000,
    );
  });
});

function decodeSafely(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
