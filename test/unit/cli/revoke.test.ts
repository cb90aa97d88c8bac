import { describe, expect, test } from 'vitest';
import { meshgate, type Surroundings } from './fake.ts';

const NOW = 1_800_000_000;
const folders = ['/var/lib/meshgate/revoke'];

/** A gateway that processes the files that it finds. */
const takes = (found: string[] = []) => ({
  folders,
  now: NOW,
  meanwhile: (written: Record<string, string>) => {
    for (const [path, text] of Object.entries(written)) {
      found.push(`${path} ${text}`);
      delete written[path];
    }
  },
});

/** The files for the gateway. */
async function allLaid(...flags: readonly string[]): Promise<readonly unknown[]> {
  const found: string[] = [];
  const { code, err } = await meshgate(['revoke', ...flags], takes(found));
  expect([code, err]).toEqual([0, 'recorded: every credential with this name is rejected from now on\n']);
  return found.map((file) => {
    const [path = '', text = ''] = file.split(' {');
    expect(path).toMatch(/^\/var\/lib\/meshgate\/revoke\/[a-z]+-18000000\d+-[a-z0-9]+\.json$/);
    return JSON.parse(`{${text}`);
  });
}

async function laid(...flags: readonly string[]): Promise<unknown> {
  const all = await allLaid(...flags);
  expect(all).toHaveLength(1);
  return all[0];
}

const DAYS_46 = NOW + 46 * 86400;
const ALWAYS = 253402300799;

describe('meshgate revoke', () => {
  test('writes a file for the gateway, and waits until it is processed', async () => {
    expect(await laid('--subject', 'okta/a/b')).toEqual({
      kind: 'sub',
      before: NOW + 1,
      until: DAYS_46,
      made: NOW,
      provider: 'okta',
      subject: 'a/b',
    });
    expect(await laid('--sid', 's1')).toEqual({
      kind: 'sid',
      value: 's1\n',
      before: ALWAYS,
      until: DAYS_46,
      made: NOW,
    });
    expect(await laid('--kid', 'k1')).toEqual({
      kind: 'kid',
      value: 'k1\n',
      before: ALWAYS,
      until: DAYS_46,
      made: NOW,
    });
    expect(await laid('--jti', 'j1')).toEqual({
      kind: 'jti',
      value: 'j1\n',
      before: ALWAYS,
      until: DAYS_46,
      made: NOW,
    });
  });

  const DIGEST = '00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff';
  test.each([DIGEST, DIGEST.toUpperCase(), DIGEST.toUpperCase().match(/../g)!.join(':')])(
    'names a certificate by its SHA-256 as openssl prints it, and a key of a provider with that id: %s',
    async (kid) => {
      // The same bytes in base64url.
      const certificate = 'ABEiM0RVZneImaq7zN3u_wARIjNEVWZ3iJmqu8zd7v8\n';
      expect(await allLaid('--kid', kid)).toMatchObject([
        { kind: 'kid', value: `${kid}\n` },
        { kind: 'kid', value: certificate },
      ]);
    },
  );

  test.each(['certificate/ci.example.com', 'certificate/CN=ci'])(
    'rejects %s, which does not name a certificate',
    async (subject) => {
      const { code, err, written } = await meshgate(['revoke', '--subject', subject], { folders, now: NOW });
      expect([code, Object.keys(written)]).toEqual([2, []]);
      expect(err).toContain('begins with dns:, spiffe:// or x509:');
    },
  );

  test('says what to do if no gateway processes it', async () => {
    const { code, err, written } = await meshgate(['revoke', '--sid', 's1'], { folders, now: NOW });
    expect(code).toBe(1);
    expect(err).toContain('not in force after 10 s');
    expect(err).toContain(`delete ${Object.keys(written)[0]}`);
  });

  test('says why the gateway refuses', async () => {
    const meanwhile = (written: Record<string, string>) => {
      const [path] = Object.keys(written) as [string];
      delete written[path];
      written[`${path}.refused`] = 'the zone meshgate_revoked is full\n';
    };
    const { code, err } = await meshgate(['revoke', '--sid', 's1', '--cut'], { folders, meanwhile });
    expect([code, err]).toEqual([1, 'refused: the zone meshgate_revoked is full\n']);
  });

  test('needs one credential, and a folder that a gateway reads', async () => {
    const wrong: [string[], string, Surroundings?][] = [
      [[], 'give one of --subject, --sid, --kid and --jti'],
      [['--sid', 'a', '--kid', 'b'], 'give one of'],
      [['--sid', ''], '--sid is empty'],
      [['--kid', 'a b'], '--kid contains white space'],
      [['--subject', 'okta'], '--subject is PROVIDER/SUBJECT'],
      [['--subject', '/a'], '--subject is PROVIDER/SUBJECT'],
      [['--sid', 'a'], 'no gateway with sessions keeps its state in /var/lib/meshgate', { folders: [] }],
      [['--sid', 'a', '--state-dir', '/srv'], '/srv/revoke does not exist'],
      [['--sid', 'a', '--state-dir', '/forbidden'], 'this user has no permission', { folders: ['/forbidden/revoke'] }],
    ];
    for (const [flags, message, given] of wrong) {
      const { code, err, written } = await meshgate(['revoke', ...flags], { ...takes(), ...given });
      expect([code, written]).toEqual([2, {}]);
      expect(err).toContain(message);
    }
  });

  test.each([
    ['--kid', '*', '--kid * is no name, and there are no patterns: give the whole id; to end all sessions'],
    ['--kid', '%', 'meshgate keys rotate --leaked'],
    ['--sid', '**', 'meshgate keys rotate --leaked'],
    ['--sid', '.*', 'meshgate keys rotate --leaked'],
    ['--jti', '*', 'to reject all tokens of a person, give --subject'],
    ['--jti', '?', 'to reject all tokens of a person, give --subject'],
  ])('rejects a pattern: %s %s', async (flag, pattern, message) => {
    const { code, err, written } = await meshgate(['revoke', flag, pattern], takes());
    expect([code, written, err]).toEqual([2, {}, expect.stringContaining(message)]);
  });

  test.each(['okta/x', 'nosuch/x'])(
    'says that no provider belongs in front of a token id, but takes %s',
    async (jti) => {
      const { code, err } = await meshgate(['revoke', '--jti', jti], takes());
      expect([code, err.split('\n')[1]]).toEqual([
        0,
        expect.stringContaining('no provider belongs in front of a "jti"'),
      ]);
    },
  );

  test('finds the state where the image keeps it', async () => {
    const found: string[] = [];
    const given = { ...takes(found), folders: ['/state/revoke'], env: { MESHGATE_STATE: '/state' } };
    expect((await meshgate(['revoke', '--sid', 'a'], given)).code).toBe(0);
    expect(found[0]).toMatch(/^\/state\/revoke\//);
  });

  test('cuts with a reload, after it is processed', async () => {
    const reloaded: string[] = [];
    const reload = (pidFile: string) => (reloaded.push(pidFile) > 1 ? `${pidFile} has no pid` : undefined);
    const cut = await meshgate(['revoke', '--sid', 'a', '--cut'], { ...takes(), reload });
    expect([cut.code, reloaded]).toEqual([0, ['/run/meshgate/nginx.pid']]);
    expect(cut.err).toContain('within its worker_shutdown_timeout');
    const not = await meshgate(['revoke', '--sid', 'a', '--cut', '--pid-file', '/p'], { ...takes(), reload });
    expect([not.code, reloaded[1]]).toEqual([1, '/p']);
    expect(not.err).toContain("open connections are not cut: /p has no pid; send nginx's master SIGHUP");
    await meshgate(['revoke', '--sid', 'a', '--cut'], { folders, reload });
    expect(reloaded).toHaveLength(2);
  });
});
