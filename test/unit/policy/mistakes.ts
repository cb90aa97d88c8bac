/**
 * Makes single mistakes in a valid policy, each with the line that must be reported and what must be said instead.
 * Seeded: the same mistakes every time.
 */
export interface Mistake {
  readonly kind: string;
  /** What was done, for the name of the test. */
  readonly what: string;
  /** Line in the policy before the mistake, from 1, and what stands there afterwards (one line or several). */
  readonly edit: { readonly line: number; readonly to: readonly string[] };
  /** The reported line, counted in the policy before the mistake; `after` counts on inside the edited lines. */
  readonly reported: { readonly line: number; readonly after: number };
  readonly says: string;
  /** Lines that the mistake is about as well: another mistake there would be about the same thing. */
  readonly about: readonly number[];
}

/** A small seeded generator (mulberry32). */
export function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

/** The policy with these mistakes in it, and the line on which each is to be reported. */
export function apply(policy: string, mistakes: readonly Mistake[]) {
  const lines = policy.split('\n').map((line) => [line]);
  for (const { edit } of mistakes) lines[edit.line - 1] = [...edit.to];
  const lineOf = ({ reported }: Mistake) => lines.slice(0, reported.line - 1).flat().length + 1 + reported.after;
  return { text: lines.flat().join('\n'), lines: mistakes.map(lineOf) };
}

/** Misspells a word as people do: two letters swapped, one doubled, one forgotten. */
function misspell(word: string, pick: (below: number) => number): string {
  if (word.length < 5) return word + word.at(-1);
  const at = 1 + pick(word.length - 3);
  const [a, b] = [word[at] ?? '', word[at + 1] ?? ''];
  const ways = [
    word.slice(0, at) + b + a + word.slice(at + 2),
    word.slice(0, at) + a + word.slice(at),
    word.slice(0, at) + word.slice(at + 1),
  ].filter((way) => way !== word);
  return ways[pick(ways.length)] ?? word;
}

/** Words to misspell: kind, and what stands before and around the word; the word is the group `w`. */
const WORDS: readonly (readonly [kind: string, pattern: RegExp])[] = [
  [
    'misspelt key',
    /(?<=^|[ {,-])(?<w>gateway|clock_skew|token_cache|keys|refresh|stale|cool_down|trusted_proxies|resolver|listen|tls|cert_file|key_file|providers|kind|issuer|audiences|clients|algorithms|ca_file|subject|claim|prefix|roles|group|provider|any|all|none|scope|has|mesh|trust_domain|ingress|address|server_name|own|client_ca_file|identities|spiffe|pem_file|services|authority|endpoint|url|insecure_url|headers|first_role|else|hosts|service|accept|allow|role|methods|as|who|tests|expect|claims|GET|POST)(?=:(?: |$))/g,
  ],
  [
    'misspelt role',
    /(?<=role: |allow: \[|roles: \[|first_role: \{ |^ {6,10}- |reader: )(?<w>admin|editor|reader|ops|staff)(?=[\],: ]|$)/g,
  ],
  ['misspelt service', /(?<=service: )(?<w>\w+)/g],
  ['misspelt provider', /(?<=provider: |providers: \[)(?<w>\w+)/g],
  ['misspelt identity', /(?<=as: )(?<w>wiki-editor)/g],
  ['misspelt enum', /(?<=methods: \[|accept: \[|expect: |who: |kind: |X-Forwarded-\w+: )(?<w>[A-Za-z_]+)/g],
  ['misspelt algorithm', /(?<=algorithms: \[)(?<w>RS256)/g],
];

function misspellings(lines: readonly string[], pick: (below: number) => number): Mistake[] {
  return lines.flatMap((line, index) =>
    WORDS.flatMap(([kind, pattern]) =>
      [...line.matchAll(pattern)].flatMap((match) => {
        const word = match.groups?.w ?? '';
        // null is no enum's value, and a role's own definition is no use of it.
        if (word === 'null' || /^ {2}(null|staff)/.test(line.slice(match.index))) return [];
        const wrong = misspell(word, pick);
        const to = line.slice(0, match.index) + wrong + line.slice(match.index + word.length);
        return [simple(kind, index + 1, [to], `did you mean "${word}"?`, `${word} → ${wrong}`)];
      }),
    ),
  );
}

function simple(kind: string, line: number, to: readonly string[], says: string, what: string, after = 0): Mistake {
  return { kind, what: `line ${line}: ${what}`, edit: { line, to }, reported: { line, after }, says, about: [line] };
}

/**
 * Mistakes by hand: kind, the line they are made in (its beginning), what to replace by what, what is said, and
 * beginnings of other lines that they are about.
 */
type Change = readonly [kind: string, line: string, from: string, to: string, says: string, ...about: string[]];

const CHANGES: readonly Change[] = [
  ['missing unit', '  clock_skew:', '30s', '30', 'write 30s (or 30m, 30h)'],
  ['missing unit', '  token_cache:', '5m', '5', 'write 5s (or 5m, 5h)'],
  ['missing unit', '  keys:', '24h', '86400', 'write 86400s'],
  ['missing unit', '  keys:', '10s', '"10"', 'write 10s'],
  ['wrong unit', '  token_cache:', '5m', '5 min', 'write 5m'],
  ['out of bounds', '  clock_skew:', '30s', '1h', 'write at most 300s'],
  ['out of bounds', '  keys:', 'stale: 24h', 'stale: 1m', 'write at least the refresh, 300s', 'gateway:'],
  ['out of bounds', '  keys:', 'refresh: 5m', 'refresh: 1s', 'write from 10s to 1d'],
  ['wrong type', '  trusted_proxies:', '[10.0.0.0/8, "fd00::/8"]', '10.0.0.0/8', 'write [10.0.0.0/8]'],
  ['wrong type', '  listen:', '8443', 'high', 'write a number from 1 to 65535'],
  ['wrong type', '  listen:', '8443', '84430', 'write a number from 1 to 65535'],
  ['YAML', '  okta:', '', ' text', 'not YAML'],
  ['wrong type', '    clients:', '[0oa1, 0oa2]', '0oa1', 'write [0oa1]'],
  ['wrong type', '    audiences: [api', '[api://mesh]', '[]', 'write [api://wiki]'],
  ['wrong type', '    audiences: [api', '[api://mesh]', '[5]', 'write "5" in quotes'],
  ['wrong type', '  reader:', 'staff', '[staff]', 'write { group: staff }'],
  ['wrong type', '  staff:', '{ group: staff, provider: okta }', '5', 'write { group: staff }'],
  ['wrong type', '  - { as: nobody', 'nobody', '[nobody]', 'write nobody, { roles: [staff] }'],
  ['wrong type', '      allow: [editor]', '[editor]', 'editor', 'write [editor]'],
  ['wrong type', '      allow: [editor]', '[editor]', '[]', 'write [staff]'],
  ['wrong type', '      allow: [editor]', '[editor]', '[editor, 5]', 'write a role, authenticated, anyone'],
  ['wrong type', '      X-Department:', '{ claim: department }', '5', 'write subject, { claim: department }'],
  ['wrong type', '    else:', 'Viewer', '5', 'write "5" in quotes'],
  ['wrong type', 'version:', '1', '2', 'write 1'],
  ['bad address', '  resolver:', '10.0.0.10', 'dns', 'write 10.0.0.10, 10.0.0.10:5353'],
  ['bad address', '  trusted_proxies:', '10.0.0.0/8', '10.0.0.0', 'write 10.0.0.0/32'],
  ['bad address', '  trusted_proxies:', '10.0.0.0/8', '0.0.0.0/0', 'not all addresses'],
  ['bad address', '    address:', ':8443', '', 'write ingress.mesh:8443'],
  ['bad URL', '    issuer: https://example', 'https:', 'http:', 'write https://example.okta.com/oauth2/default'],
  ['bad URL', '    issuer: https://login', 'main', 'main?x=1', 'without query, fragment or user'],
  ['bad URL', '    issuer: https://login', '//', '//me@', 'without query, fragment or user'],
  ['bad URL', '  status: { url', ':9443,', ':9443/x,', 'no path'],
  ['bad URL', '  legacy: {', 'http:', 'https:', 'or url for https'],
  ['bad URL', '    GET:', 'https://wiki.example.com/x', '/x', 'write https://wiki.example.com/path'],
  ['bad file', '    cert_file: /run/tls/tls.crt', '/run', 'run', 'write /run/tls/tls.crt'],
  ['bad file', '    ca_file: /run/providers', 'providers', '$HOME', 'absolute file path'],
  ['bad file', '      pem_file:', '/run/mesh/gateway.pem', '"/run/mesh/gate way.pem"', 'absolute file path'],
  ['bad file', '      pem_file:', '/run/mesh/gateway.pem', '"/run/mesh/a;b"', 'absolute file path'],
  ['bad host', '  wiki.example.com:', 'wiki', 'Wiki', 'write "wiki.example.com"'],
  ['bad host', '  wiki.example.com:', '.com:', '.com:8443:', 'write "wiki.example.com"'],
  ['bad host', '  wiki.example.com:', 'wiki.', 'wi_ki.', 'as in wiki.example.com'],
  ['bad host', '  "*.dash', '*.dash', 'x.*.dash', 'or *.example.com'],
  ['bad path', '    /rest', '/rest/*', '/rest*', 'write "/rest/*"'],
  ['bad path', '    /rest', '/rest/*', 'rest/*', 'write "/rest/*"'],
  ['bad path', '    /rest', '/rest/*', '/rest//x', 'write "/rest/x"'],
  ['bad path', '    /rest', '/rest/*', '/a/../rest/*', 'write "/rest/*"'],
  ['bad path', '    /rest', '/rest/*', '/re%73t/*', '"%" cannot be in a path'],
  ['bad path', '    /rest', '/rest/*', '/rest;a/*', '";" cannot be in a path'],
  ['bad path', '    /rest', '/rest/*', '"/re st/*"', '" " cannot be in a path'],
  ['bad path', '    /rest', '/rest/*', '/rest?x', 'write "/rest"'],
  ['bad path', '    /rest', '/rest/*', '/*/rest', 'write "/*"'],
  ['bad path', '    /status', '/status', '/REST/*', 'differs from "/rest/*" in case only', '    /rest'],
  ['reserved path', '    /rest', '/rest/*', '/.meshgate/*', 'the gateway answers /.meshgate itself'],
  ['reserved path', '    /rest', '/rest/*', '/.MESHGATE/x', 'the gateway answers /.meshgate itself'],
  ['reserved path', '    /rest', '/rest/*', '/.well-known/oauth-protected-resource', 'write another path'],
  [
    'bad name',
    '  okta:',
    'okta',
    'Okta',
    'write "okta": lower case',
    '  staff:',
    '      - { group: confluence',
    '      - { group: wiki',
    '    providers: [okta]',
    '    providers: [okta, k',
    '  - as: { prov',
  ],
  ['bad name', '  staff:', 'staff', 'Staff', 'write "staff": lower case'],
  [
    'bad name',
    '  wiki: { auth',
    'wiki',
    'wi_ki',
    'write "wi-ki": lower case',
    '      service: wiki',
    '      allow: [editor]',
  ],
  ['bad header', '  X-Forwarded-User:', 'X-Forwarded-User', 'X_Forwarded_User', 'write "X-Forwarded-User"'],
  ['bad header', '  X-Forwarded-User:', 'X-Forwarded-User', 'Connection', 'write another name'],
  ['bad header', '  X-Forwarded-User:', 'X-Forwarded-User', 'Content-Type', 'write another name'],
  ['bad header', '  X-Forwarded-User:', 'X-Forwarded-User', 'X-Meshgate-User', 'write another name'],
  [
    'bad header',
    '  X-Forwarded-Roles:',
    'X-Forwarded-Roles',
    'x-forwarded-user',
    'the same header as "X-Forwarded-User"',
    '  X-Forwarded-User:',
  ],
  ['bad header', '    first_role:', 'Admin', '"Ad\\nmin"', 'write plain text such as Viewer'],
  ['no effect', '        X-Forwarded-Email: null', 'Email', 'Mail', 'nothing sets this header'],
  ['no effect', '  X-Forwarded-User:', 'subject', 'null', 'nothing sets this header'],
  [
    'no effect',
    '    first_role:',
    'admin: Admin, editor: Editor',
    'editor: Editor, admin: Admin',
    'put it before that',
    '      - editor',
    '  editor:',
    '  admin:',
  ],
  ['no effect', '      allow: [ops]', '[ops]', '[anyone, ops]', 'put this rule before it'],
  [
    'no effect',
    '      allow: [editor]',
    '[editor]',
    '[editor, admin]',
    'put this rule before it',
    '      - editor',
    '  editor:',
    '  admin:',
  ],
  ['no effect', '      allow: [editor]', '[editor]', '[editor, editor]', 'put this rule before it'],
  [
    'no effect',
    '      allow: [editor]',
    '[editor]',
    '[editor, ops]',
    'accept it in providers',
    '    providers: [okta]',
    '      - { provider: keycloak }',
    '  ops:',
  ],
  ['no effect', '        - { role: reader', 'GET', 'GET, HEAD', 'GET includes HEAD'],
  [
    'no effect',
    '      allow: [ops]',
    '[ops]',
    '[{ role: ops, as: wiki-editor }]',
    'reached by its url',
    '  legacy: {',
    '      service: legacy',
  ],
  ['no effect', '  status: { url', '}', ', endpoint: "a:1" }', 'reached by its url'],
  ['no effect', '  dashboard: {', '}', ', ca_file: /run/x.pem }', 'the mesh ingress is verified'],
  ['twice', '        - { role: reader', 'GET', 'GET, GET', 'in this list twice'],
  ['twice', '    providers: [okta, k', 'okta, keycloak', 'okta, keycloak, okta', 'in this list twice'],
  ['twice', '    clients:', '0oa1, 0oa2', '0oa1, 0oa1', 'in this list twice'],
  ['two in one', '  legacy: {', 'authority', 'url: "https://a:1", authority', 'keep one of the two'],
  ['two in one', '  staff:', 'group: staff', 'group: staff, scope: x', 'write all: [{ group: … }, { scope: … }]'],
  ['two in one', '        - { role: admin', 'role: admin', 'role: admin, who: anyone', 'keep one of them'],
  ['two in one', '  - { as: nobody', 'expect', 'POST: https://a.example.com/, expect', 'write a test for each method'],
  [
    'missing part',
    '      - { claim: realm_access.roles, has: editor',
    ', has: editor',
    '',
    'write { claim: NAME, is: VALUE }',
  ],
  [
    'missing part',
    '      - { claim: realm_access.roles, has: editor',
    'claim: realm_access.roles, ',
    '',
    'write { claim: NAME, has: VALUE }',
  ],
  ['missing part', '  staff:', ', provider: okta', '', 'add provider: one of okta, keycloak', 'providers:'],
  ['missing part', '        - { role: reader', 'role: reader, ', '', 'write role: NAME, or who: authenticated'],
  ['missing part', '  - { as: nobody', ', GET: https://wiki.example.com/status', '', 'write GET: https://HOST/PATH'],
  ['missing key', '  - { as: nobody', ', expect: allowed', '', 'write expect: one of allowed'],
  ['missing key', '  - { as: nobody', 'as: nobody, ', '', 'write as: nobody, { roles: [staff] }'],
  [
    'missing key',
    '  dashboard: {',
    '{ authority: dashboard.ops.svc.cluster.local }',
    '{ endpoint: "a:1" }',
    'missing key "authority"',
  ],
  [
    'missing key',
    '    subject: {',
    ', prefix: okta-',
    '',
    'subject: { prefix: okta- }',
    '      prefix: kc-',
    '    providers: [okta, k',
  ],
  [
    'bad identity',
    '      spiffe: spiffe://example.org/ns/edge/sa/gateway',
    'example.org',
    'example.com',
    'write "spiffe://example.org/ns/edge/sa/gateway"',
    '  trust_domain:',
    'mesh:',
  ],
  [
    'bad identity',
    '      spiffe: spiffe://example.org/ns/edge/sa/gateway',
    'spiffe://example',
    'example',
    'write spiffe://TRUST_DOMAIN/PATH',
  ],
  [
    'bad identity',
    '      spiffe: spiffe://example.org/ns/edge/sa/wiki',
    'wiki-editor',
    'gateway',
    'has this SPIFFE id already',
    '      spiffe: spiffe://example.org/ns/edge/sa/gateway',
    '  trust_domain:',
    '    default:',
  ],
  [
    'bad provider',
    '    issuer: https://login',
    'login.example.com/realms/main',
    'example.okta.com/oauth2/default',
    'has this issuer',
    '    issuer: https://example',
    '    providers: [okta, k',
  ],
  [
    'bad provider',
    '      prefix: kc-',
    'kc-',
    'okta-x-',
    'write keycloak-',
    '    subject: {',
    '    providers: [okta, k',
    '    subject:',
  ],
  ['not yet', '        - { role: admin', 'role: admin', 'agent: x, role: admin', 'not supported in this version'],
  ['not yet', '      accept: [bearer]', 'bearer', 'session', 'not supported in this version; write bearer'],
  ['not yet', '    kind: generic', 'generic', 'okta', 'not supported in this version; write generic'],
  ['not yet', '  kind: envoy', 'envoy', 'istio', 'not supported in this version; write envoy'],
  ['cycle', '  reader:', 'staff', 'reader', 'reader → reader'],
  [
    'bad name',
    '  wiki: { auth',
    'wiki',
    'wikki',
    'did you mean "wiki"?',
    '      service: wiki',
    '      allow: [editor]',
  ],
  [
    'cycle',
    '      - { group: confluence-editors',
    '{ group: confluence-editors, provider: okta }',
    'admin',
    'editor → admin → editor',
    '      - editor',
    '  editor:',
    '  admin:',
  ],
  ['YAML', '  listen:', '  listen', '\tlisten', 'use spaces'],
  ['YAML', '    issuer: https://login', 'https', '"https', 'this quote is left open'],
  ['YAML', '  staff:', ' }', '', 'add }'],
  ['YAML', '    audiences: [api', '[api://mesh]', '*mesh', 'write the value out'],
];

/** Lines to add after a line: kind, the line, what to add, which of the added lines is reported, what is said. */
type Addition = readonly [
  kind: string,
  line: string,
  add: readonly string[],
  after: number,
  says: string,
  ...about: string[],
];

const ADDITIONS: readonly Addition[] = [
  [
    'unused',
    'roles:',
    ['  spare: { group: spare, provider: okta }'],
    1,
    'nothing uses this role',
    '  reader:',
    '        - { role: reader',
    '  anyone',
  ],
  [
    'unused',
    'services:',
    ['  idle: { authority: idle.example.com }'],
    1,
    'nothing uses this service',
    '      service: dashboard',
  ],
  [
    'unused',
    '  identities:',
    ['    idle: { spiffe: spiffe://example.org/idle, pem_file: /run/idle.pem }'],
    1,
    'nothing uses this identity',
  ],
  [
    'unused',
    'providers:',
    ['  idle: { issuer: https://idle.example.com, audiences: [idle] }'],
    1,
    'nothing uses this provider',
  ],
  [
    'not yet',
    'version: 1',
    ['agents: { bot: { match: { client_id: bot } } }'],
    1,
    '"agents" is not supported in this version',
  ],
  ['not yet', 'gateway:', ['  session: { absolute: 24h }'], 1, '"session" is not supported in this version'],
  ['unknown key', 'version: 1', ['colour: blue'], 1, 'write one of version, gateway, providers'],
  ['unknown key', '      service: dashboard', ['      rewrite: /x'], 1, 'write one of service, accept, allow, headers'],
  ['key twice', '  clock_skew: 30s', ['  clock_skew: 40s'], 1, 'is here twice; keep one'],
  ['key twice', '  staff:', ['  staff: { group: all, provider: okta }'], 1, 'is here twice; keep one'],
  ['key twice', '    /status:', ['      service: status'], 2, 'is here twice; keep one', '      service: status'],
  ['bad host', 'hosts:', ['  empty.example.com: { providers: [okta] }'], 1, 'a host without routes'],
  [
    'missing key',
    'hosts:',
    ['  new.example.com: { /*: { service: wiki, allow: [staff] } }'],
    1,
    'write providers: with one of ',
  ],
  ['bad name', 'roles:', ['  anyone: { group: all, provider: okta }'], 1, 'choose another'],
];

/** Required keys that are dropped: the line that goes, the line that is reported instead. */
const DROPS: readonly (readonly [line: string, reported: string, says: string])[] = [
  ['version: 1', 'version: 1', 'write version: 1'],
  ['    key_file: /run/tls/tls.key', '  tls:', 'write key_file: /run/secrets/name.pem'],
  ['    issuer: https://login', '  keycloak:', 'write issuer: the issuer exactly as in "iss"'],
  ['    audiences: [api', '  okta:', 'write audiences: [api://wiki]'],
  ['      service: dashboard', '    /*:', 'write service: one of '],
  ['      allow: [editor]', '    /rest/*:', 'write allow: [staff]'],
  ['  trust_domain:', 'mesh:', 'write trust_domain: lower case letters'],
  ['    ca_file: /run/mesh/ca.pem', '  ingress:', 'write ca_file:'],
  ['      listen: 8443', '    own:', 'write listen: a number'],
  ['      spiffe: spiffe://example.org/ns/edge/sa/gateway', '    default:', 'write spiffe: spiffe://TRUST_DOMAIN/PATH'],
  ['      pem_file:', '    default:', 'write one file with certificate and key'],
  ['      key_file: /run/mesh/wiki-editor.key', '    wiki-editor:', 'missing key "key_file"'],
  ['    providers: [okta, k', '  "*.dashboard', 'write providers: with one of '],
  ['    expect: allowed', '  - as: { provider', 'write expect: one of allowed'],
];

/** Every mistake that can be made in this policy. */
export function mistakes(policy: string, seed: number): readonly Mistake[] {
  const lines = policy.split('\n');
  const lineOf = (start: string, before = lines.length) => {
    const index = lines.findLastIndex((line, at) => at < before && line.startsWith(start));
    if (index === -1) throw new Error(`no line begins with ${start}`);
    return index + 1;
  };
  const first = (start: string) => lines.findIndex((line) => line.startsWith(start)) + 1;
  const starting = (starts: readonly string[]) =>
    lines.flatMap((line, index) => (starts.some((start) => line.startsWith(start)) ? [index + 1] : []));
  const changes = CHANGES.map(([kind, start, from, to, says, ...others]): Mistake => {
    const line = first(start);
    const text = lines[line - 1] ?? '';
    if (!text.includes(from)) throw new Error(`no ${from} in line ${start}`);
    const changed = from === '' ? text + to : text.replace(from, () => to);
    return { ...simple(kind, line, [changed], says, `${from} → ${to}`), about: [line, ...starting(others)] };
  });
  const additions = ADDITIONS.map(([kind, start, add, after, says, ...others]): Mistake => {
    const line = first(start);
    const mistake = simple(kind, line, [lines[line - 1] ?? '', ...add], says, `added ${add.join(' ')}`, after);
    return { ...mistake, about: [line, ...starting(others)] };
  });
  const drops = DROPS.map(([start, reported, says]): Mistake => {
    const line = first(start);
    const where = { line: lineOf(reported, line), after: 0 };
    return {
      kind: 'missing key',
      what: `line ${line}: dropped`,
      edit: { line, to: ['# dropped'] },
      reported: where,
      says,
      about: [line, where.line],
    };
  });
  return [...misspellings(lines, random(seed)), ...changes, ...additions, ...drops];
}
