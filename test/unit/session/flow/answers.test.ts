import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { afterError, errorName, isOfIssuer, readCallback } from '../../../../src/session/flow/callback.ts';
import { readPushed, readTokenAnswer } from '../../../../src/session/flow/token-answer.ts';
import { holds } from '../../../harness/property.ts';

describe('readCallback', () => {
  it('has one state, and either a code or an error', () => {
    expect(readCallback('code=abc&state=s.1.x')).toEqual({ state: 's.1.x', answer: { code: 'abc' } });
    expect(readCallback('state=s&error=login_required&error_description=x&iss=https%3A%2F%2Fi.example')).toEqual({
      state: 's',
      answer: { error: 'login_required' },
      iss: 'https://i.example',
    });
    expect(readCallback('code=a%2Fb&state=s&session_state=x&x=1&x=2')).toMatchObject({ answer: { code: 'a/b' } });
  });

  it.each([
    '',
    'code=a',
    'code=a&state=',
    'state=s',
    'code=&state=s',
    'code=a&error=b&state=s',
    'code=a&code=b&state=s',
    'code=a&state=s&state=t',
    'code=a&state=s&state=s',
    'error=a&error=b&state=s',
    'code=a&state=s&iss=a&iss=b',
    'code=%&state=s',
    `code=a&state=${'s'.repeat(20_000)}`,
  ])('rejects any other query: %.60s', (query) => {
    expect(readCallback(query)).toBeUndefined();
  });

  it('never fails, whatever the query', () => {
    holds(fc.property(fc.string({ unit: 'binary' }), (query) => void readCallback(query)));
    holds(fc.property(fc.webQueryParameters(), (query) => void readCallback(query)));
  });
});

describe('isOfIssuer', () => {
  const callback = (iss?: string) => ({ state: 's', answer: { code: 'c' }, ...(iss !== undefined && { iss }) });
  it('requires the issuer if the provider always names it, and the right one if it names any', () => {
    expect(isOfIssuer(callback('https://i'), 'https://i', true)).toBe(true);
    expect(isOfIssuer(callback('https://i'), 'https://i', false)).toBe(true);
    expect(isOfIssuer(callback('https://i/'), 'https://i', true)).toBe(false);
    expect(isOfIssuer(callback('https://evil'), 'https://i', false)).toBe(false);
    expect(isOfIssuer(callback(''), 'https://i', false)).toBe(false);
    expect(isOfIssuer(callback(), 'https://i', true)).toBe(false);
    expect(isOfIssuer(callback(), 'https://i', false)).toBe(true);
  });
});

describe('afterError', () => {
  it('becomes interactive only after a silent attempt', () => {
    expect(afterError('login_required', 'renew')).toBe('interact');
    expect(afterError('consent_required', 'renew')).toBe('interact');
    expect(afterError('access_denied', 'renew')).toBe('failed');
    expect(afterError('login_required', 'in')).toBe('failed');
    expect(afterError('temporarily_unavailable', 'in')).toBe('unavailable');
    expect(afterError('server_error', 'step')).toBe('unavailable');
    expect(afterError('toString', 'in')).toBe('failed');
  });

  it('logs an error only as a code', () => {
    expect(errorName('access_denied')).toBe('access_denied');
    for (const other of ['a"b', 'a\\b', 'a\nb', 'é', '', 'x'.repeat(65), 7, undefined]) {
      expect(errorName(other)).toBe('of an unknown form');
    }
  });
});

describe('readTokenAnswer', () => {
  const read = (status: number, body: unknown) =>
    readTokenAnswer(status, typeof body === 'string' ? body : JSON.stringify(body));

  it('has an ID token, and the other tokens', () => {
    expect(read(200, { id_token: 'i', access_token: 'a', refresh_token: 'r', token_type: 'bearer' })).toEqual({
      kind: 'tokens',
      tokens: { idToken: 'i', accessToken: 'a', refreshToken: 'r' },
    });
    expect(read(200, { id_token: 'i' })).toEqual({ kind: 'tokens', tokens: { idToken: 'i' } });
  });

  it('distinguishes a refusal from an invalid answer', () => {
    expect(read(400, { error: 'invalid_grant' })).toMatchObject({
      kind: 'refused',
      error: 'invalid_grant',
    });
    expect(read(401, { error: 'invalid_client', error_description: '<b>' })).toEqual({
      kind: 'refused',
      error: 'invalid_client',
      text: 'the token endpoint refused: invalid_client, "<b>"',
    });
    for (const [status, body] of [
      [500, { error: 'server_error' }],
      [502, '<html>'],
      [400, 'no'],
      [302, ''],
      [200, 'no'],
      [200, '[]'],
      [200, {}],
      [200, { id_token: 7 }],
      [200, { id_token: 'i', access_token: 'a' }],
      [200, { id_token: 'i', access_token: 'a', token_type: 'DPoP' }],
    ] as const) {
      expect(read(status, body), `${status} ${JSON.stringify(body)}`).toMatchObject({ kind: 'broken' });
    }
  });

  const refusedAs = (error_description: unknown, secrets: readonly string[] = []) => {
    const answer = readTokenAnswer(400, JSON.stringify({ error: 'invalid_grant', error_description }), secrets);
    return answer.kind === 'refused' ? answer.text.replace('the token endpoint refused: invalid_grant', '') : answer;
  };

  it('has the description of a refusal for the log: quoted, escaped and cut', () => {
    expect(refusedAs('AADSTS70008: expired. Trace ID: 1-2')).toBe(', "AADSTS70008: expired. Trace ID: 1-2"');
    expect(refusedAs('a"b\\c')).toBe(', "a\\"b\\\\c"');
    expect(refusedAs('x\r\n2026/01/01 [error] forged\u001b[2J\u009b\u202e\u00e9')).toBe(
      ', "x\\r\\n2026/01/01 [error] forged\\u001b[2J\\u009b\\u202e\\u00e9"',
    );
    expect(refusedAs('y'.repeat(5000))).toBe(`, "${'y'.repeat(200)}\\u2026"`);
    for (const none of [undefined, '', 7, ['x'], null]) expect(refusedAs(none)).toBe('');
  });

  it('removes secrets of the request from the description', () => {
    expect(refusedAs('Code c0de-of-the-answer is not valid for s3cret', ['c0de-of-the-answer', 's3cret'])).toBe(
      ', "Code \\u2026 is not valid for \\u2026"',
    );
    // Not if it is truncated in the middle either.
    expect(refusedAs(`${'z'.repeat(195)}c0de-of-the-answer`, ['c0de-of-the-answer'])).toBe(
      `, "${'z'.repeat(195)}\\u2026"`,
    );
  });

  it('never repeats what it was told', () => {
    holds(
      fc.property(fc.integer({ min: 100, max: 599 }), fc.json(), (status, text) => {
        const answer = readTokenAnswer(status, text);
        if (answer.kind === 'broken') expect(answer.error).toMatch(/^the token endpoint answered [\w "]+$/);
      }),
    );
    const secret = 'S3CR3T';
    expect(JSON.stringify(read(200, { id_token: secret, access_token: secret, token_type: secret }))).not.toContain(
      secret,
    );
  });
});

describe('readPushed', () => {
  it('returns a request URI, or the reason for having none', () => {
    expect(readPushed(201, '{"request_uri":"urn:x","expires_in":60}')).toEqual({ requestUri: 'urn:x' });
    expect(readPushed(400, '{"error":"invalid_request"}')).toEqual({
      error: 'the pushed request was refused: invalid_request',
    });
    expect(readPushed(400, '{"error":"invalid_request","error_description":"no such client\\n"}')).toEqual({
      error: 'the pushed request was refused: invalid_request, "no such client\\n"',
    });
    expect(readPushed(502, 'x')).toEqual({ error: 'the endpoint for pushed requests answered 502' });
    expect(readPushed(201, '{}')).toEqual({ error: 'the endpoint for pushed requests answered 201' });
  });
});
