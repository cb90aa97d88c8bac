import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Policy } from '../../../src/policy/checked/types.ts';
import { parsePolicy } from '../../../src/policy/index.ts';
import { compile } from '../../../src/rules/compile.ts';
import { hash } from '../../../src/rules/hash.ts';
import { headerNames, tableModule, toTable } from '../../../src/rules/table/table.ts';
import type { Table } from '../../../src/rules/types.ts';
import { holds } from '../../harness/property.ts';
import { anyText } from '../text.ts';

const TEXT = `version: 1
providers:
  okta: { issuer: https://okta.example.com, audiences: [wiki] }
roles:
  staff: { group: staff }
  admin: { all: [staff, { group: admins }] }
services:
  wiki: { url: https://wiki.internal:8443 }
hosts:
  wiki.example.com:
    /*: { service: wiki, allow: [admin, { role: staff, methods: [GET] }] }
    /a: { service: wiki, allow: [anyone], headers: { x-forwarded-user: subject, X-Team: { claim: team } } }
`;

function policy(text = TEXT): Policy {
  const parsed = parsePolicy(text, 'p.yaml');
  if (!('policy' in parsed)) throw new Error(JSON.stringify(parsed.errors));
  return parsed.policy;
}

function table(of: Policy): Table {
  return toTable(of, compile(of), { egress: '/run/egress.sock' });
}

/** The module that nginx's JavaScript imports. */
async function imported(of: Table): Promise<Table> {
  const text = tableModule(of);
  expect(text).toMatch(/^[\x20-\x7e\n]*$/);
  expect(text).not.toContain('<');
  return (await import(`data:text/javascript,${encodeURIComponent(text)}`)).default;
}

const json = (value: unknown) => JSON.parse(JSON.stringify(value));

describe('toTable', () => {
  const made = table(policy());

  test('has each identity header once whatever its case, and routes use that spelling', () => {
    expect(headerNames(policy())).toEqual(['X-Forwarded-User', 'X-Forwarded-Email', 'X-Forwarded-Roles', 'X-Team']);
    expect(Object.keys(made.routes['wiki.example.com/a']?.headers ?? {})).toContain('X-Forwarded-User');
  });

  test('has rules without their places, and facts without theirs', () => {
    expect(json(made.routes['wiki.example.com/*']?.rules)).toEqual([
      { id: 'wiki.example.com/*#1', who: { kind: 'role', role: 'admin' }, service: 'wiki', as: '' },
      {
        id: 'wiki.example.com/*#2',
        methods: ['GET', 'HEAD'],
        who: { kind: 'role', role: 'staff' },
        service: 'wiki',
        as: '',
      },
    ]);
    expect(JSON.stringify(made)).not.toContain('p.yaml');
  });

  test('has the claims that headers name', () => {
    expect(made.claims).toEqual(['team']);
  });

  test('names what else headers send', () => {
    const sends = (to: string) => table(policy(TEXT.replace('X-Team: { claim: team }', to))).sends;
    expect(made.sends).toEqual({ email: true, name: false, groups: false });
    expect(sends('X-Name: name')).toEqual({ email: true, name: true, groups: false });
    expect(sends('X-Groups: groups')).toEqual({ email: true, name: false, groups: true });
  });

  test.each(['constructor', '__proto__', 'toString'])('returns no route %s, which the policy lacks', (name) => {
    expect(made.routes[name]).toBeUndefined();
    expect(made.providers[name]).toBeUndefined();
  });
});

describe('selection', () => {
  const { selection } = table(policy());
  const of = (from: string, to: string) => table(policy(TEXT.replace(from, to))).selection;

  test('is a SHA-256: it separates the callers and sessions of one policy from those of another', () => {
    expect(selection).toMatch(/^[\w-]{43}$/);
  });

  test.each([
    ['an audience', '[wiki]', '[wiki, other]'],
    ['a role', 'group: admins', 'group: bosses'],
    ['a claim of a header', 'claim: team', 'claim: department'],
    ['a value of a header', 'claim: team }', 'claim: team }, X-Name: name'],
    ['the issuer', 'okta.example.com', 'login.example.com'],
  ])('changes with %s', (_, from, to) => {
    expect(of(from, to)).not.toBe(selection);
  });

  test.each([
    ['a route', '    /a:', '    /b: { service: wiki, allow: [anyone] }\n    /a:'],
    ['a rule', 'methods: [GET]', 'methods: [POST]'],
    ['a service', 'wiki.internal', 'other.internal'],
    ['a comment, which moves all places', 'version: 1', '# comment\nversion: 1'],
  ])('stays with another %s', (_, from, to) => {
    expect(of(from, to)).toBe(selection);
  });
});

describe('tableModule', () => {
  test('reads back as the table', async () => {
    const made = table(policy());
    expect(json(await imported(made))).toEqual(json(made));
  });

  test('any text and any key reads back', async () => {
    const made = table(policy());
    const texts = fc.oneof(anyText(), fc.constantFrom('__proto__', 'constructor', '</script>', '\u2028'));
    const headers = { H: { claim: 'x' } };
    await holds(
      fc.asyncProperty(texts, texts, async (name, value) => {
        const routes = Object.create(null);
        routes[name] = { providers: [value], rules: [], headers };
        const back = await imported({ ...made, routes, claims: [value] });
        expect(Object.keys(back.routes)).toEqual([name]);
        expect(Object.getPrototypeOf(back.routes)).toBe(null);
        expect(back.routes[name]?.providers).toEqual([value]);
        expect(back.claims).toEqual([value]);
      }),
      100,
    );
  });

  test('rejects values that JSON cannot express', () => {
    expect(() => tableModule({ ...table(policy()), clockSkew: Number.NaN })).toThrow(TypeError);
  });
});

test('hash differs between any two units', () => {
  expect(hash('')).toBe('cbf29ce484222325');
  expect(hash('a')).not.toBe(hash('\u6100'));
  expect(hash('ab')).not.toBe(hash('ba'));
});
