/** The witness as a process of its own, with a log that a real sealer makes. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { parseVkey, type VerifierKey } from '../../../src/audit/log/note.ts';
import { cosignedFile } from '../../../src/audit/witness/submit.ts';
import { Submitter } from '../../../src/audit/witness/submitter.ts';
import { cosign } from '../../../src/audit/witness/witnesses.ts';
import { systemAsk } from '../../../src/cli/machine/http.ts';
import { witnessMachine } from '../../../src/cli/machine/witness-requests.ts';
import { createCa } from '../../harness/pki.ts';
import { until } from '../../harness/until.ts';
import { audited } from '../audit/evolution.ts';
import { type Lab, newLines, sealLab } from '../audit/seal-lab.ts';
import { noteKey } from '../audit/sealed-log.ts';
import { meshgate } from './fake.ts';

interface Running {
  readonly url: string;
  readonly key: string;
  reported(): string;
  end(signal?: NodeJS.Signals): Promise<number | null>;
}

async function startWitness(folder: string, logs: readonly string[], ...more: string[]): Promise<Running> {
  const args = ['dist/cli.js', 'audit', 'witness', '--folder', folder, '--listen', '127.0.0.1:0', ...more];
  const child: ChildProcess = spawn(process.execPath, [...args, ...logs.flatMap((it) => ['--log', it])]);
  let [out, err] = ['', ''];
  child.stdout!.on('data', (text) => {
    out += text;
  });
  child.stderr!.on('data', (text) => {
    err += text;
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const closed = once(child, 'close').then(([code]) => code as number | null);
  await until(() => /listens on (\S+);/.test(err) && out.endsWith('\n'), {
    what: 'the witness to listen',
    help: () => err,
  });
  return {
    url: `http://${/listens on (\S+);/.exec(err)![1]}`,
    key: out.trim(),
    reported: () => err,
    end: (signal = 'SIGTERM') => {
      child.kill(signal);
      return closed;
    },
  };
}

function witnessFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'meshgate-witness-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function grow(lab: Lab, count = 5): Promise<void> {
  lab.write(newLines(count));
  await (await lab.open()).end();
}

const first = (lab: Lab) => readFileSync(join(lab.settings.folder, 'keys/first'), 'utf8').trim();
/** A lab with the clock of the witnesses, which are processes of their own. */
function labOfNow(): Lab {
  const lab = sealLab();
  lab.now = Math.floor(Date.now() / 1000);
  return lab;
}

const machineOf = (lab: Lab) => witnessMachine(lab.machine().disk, lab.settings.folder, systemAsk()!, () => lab.now);
const cosigned = (lab: Lab, key: VerifierKey) => join(lab.settings.folder, cosignedFile(key));

/** The findings of `audit verify` with the key of a witness. */
async function verified(lab: Lab, witness: string) {
  const { folder } = lab.settings;
  const names = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((it) => it.isFile() && !it.parentPath.includes('private'))
    .map((it) => join(it.parentPath, it.name));
  const files = Object.fromEntries(names.map((name) => [name, readFileSync(name)]));
  return meshgate(['audit', 'verify', '--log-folder', folder, '--key', first(lab), '--witness', witness], { files });
}

test('a log with a witness verifies; the witness names a fork and a rollback, also after it was killed', async () => {
  const lab = labOfNow();
  Object.assign(lab.settings, { witnesses: [{ url: 'x', key: 'y' }] });
  await grow(lab);
  const folder = witnessFolder();
  let witness = await startWitness(folder, [first(lab)], '--name', 'witness.example.com/w');
  const key = parseVkey(witness.key);
  expect(key).toMatchObject({ name: 'witness.example.com/w', type: 4 });
  const send = () => cosign(machineOf(lab), { url: witness.url, key: witness.key });
  await send();
  expect(await verified(lab, witness.key)).toMatchObject({
    code: 0,
    out: expect.stringContaining('witness.example.com/w'),
  });
  for (let round = 0; round < 3; round++) {
    await grow(lab, 120);
    await send();
  }
  const { checkpoint } = await audited(lab.settings.folder, []);
  const copy = join(lab.folder, 'copy');
  cpSync(lab.settings.folder, copy, { recursive: true });
  await grow(lab);
  await send();

  expect(await witness.end('SIGKILL')).toBe(null);
  witness = await startWitness(folder, [first(lab)]);
  expect(witness.key).toBe(`${key.name}+${key.id}+${witness.key.split('+').slice(2).join('+')}`);
  const kept = readFileSync(cosigned(lab, key), 'utf8');
  rmSync(lab.settings.folder, { recursive: true });
  cpSync(copy, lab.settings.folder, { recursive: true });
  writeFileSync(cosigned(lab, key), kept);
  await expect(send()).rejects.toThrow(
    new RegExp(
      `^it has cosigned \\d+ leaves of ${lab.settings.origin}, and the log has only ${checkpoint.size}: the log was rolled back$`,
    ),
  );
  // Its own leaves have the time, so the log that goes on from the copy is another one.
  lab.now += 60;
  await grow(lab, 40);
  await expect(send()).rejects.toThrow(/\(422\): the log was forked/);
  await until(() => /do not begin with the \d+ that were cosigned/.test(witness.reported()), {
    what: 'the operator to hear of it',
  });
  expect(readFileSync(cosigned(lab, key), 'utf8')).toBe(kept);
  const { code, out } = await verified(lab, witness.key);
  expect({ code, out }).toEqual({ code: 1, out: expect.stringMatching(/fork/) });
  expect(await witness.end()).toBe(0);
});

test('the log finds out which size the witness has cosigned, if it has lost the cosignature', async () => {
  const lab = labOfNow();
  await grow(lab, 300);
  const witness = await startWitness(witnessFolder(), [first(lab)], '--name', 'w');
  const send = () => cosign(machineOf(lab), { url: witness.url, key: witness.key });
  await send();
  rmSync(join(lab.settings.folder, 'witness'), { recursive: true });
  await grow(lab, 7);
  await send();
  expect((await verified(lab, witness.key)).code).toBe(0);
});

test('the command audit seal asks the witnesses, and ends when they have cosigned the last checkpoint', async () => {
  const lab = labOfNow();
  Object.assign(lab.settings, { witnesses: [{ url: 'x', key: 'y' }] });
  await grow(lab);
  const witness = await startWitness(witnessFolder(), [first(lab)], '--name', 'witness.example.com/w');
  const settings = join(lab.folder, 'seal.json');
  writeFileSync(settings, JSON.stringify({ ...lab.settings, witnesses: [{ url: witness.url, key: witness.key }] }));
  lab.write(newLines(3));
  const sealer = spawn(process.execPath, ['dist/cli.js', 'audit', 'seal', '--once', settings], { stdio: 'ignore' });
  expect(await once(sealer, 'close')).toEqual([0, null]);
  const cosignedNote = readFileSync(cosigned(lab, parseVkey(witness.key)), 'utf8');
  const newest = readFileSync(join(lab.settings.folder, 'checkpoint'), 'utf8');
  // Eight lines, the start of each sealer, and the change of its settings.
  expect(cosignedNote.split('\n')[1]).toBe('11');
  expect(cosignedNote.startsWith(newest)).toBe(true);
  expect(await verified(lab, witness.key)).toMatchObject({ code: 0 });
});

test('names a log that was rewritten with its key, whatever its size is', async () => {
  const lab = labOfNow();
  await grow(lab);
  const witness = await startWitness(witnessFolder(), [first(lab)], '--name', 'w');
  await cosign(machineOf(lab), { url: witness.url, key: witness.key });
  const { size } = (await audited(lab.settings.folder, [])).checkpoint;
  for (const [lines, message] of [
    [2, `and the log has only ${size - 3}: the log was rolled back`],
    [5, `it has cosigned another log wiki.example.com/meshgate/gw-0 of ${size} leaves: the log was forked`],
    [9, `the ${size} leaves that it has cosigned (422): the log was forked`],
  ] as const) {
    const other = labOfNow();
    mkdirSync(join(other.settings.folder, 'private'), { recursive: true });
    cpSync(join(lab.settings.folder, 'private/key'), join(other.settings.folder, 'private/key'));
    await grow(other, lines);
    await expect(cosign(machineOf(other), { url: witness.url, key: witness.key })).rejects.toThrow(message);
  }
});

test('a witness that comes after a change of the key needs the newest key, which audit verify prints', async () => {
  const lab = labOfNow();
  Object.assign(lab.settings, { keyInterval: 60 });
  await grow(lab);
  lab.now += 90;
  await grow(lab);
  Object.assign(lab.settings, { witnesses: [{ url: 'x', key: 'y' }] });
  await grow(lab);
  const send = ({ url, key }: Running) => cosign(machineOf(lab), { url, key });
  const early = await startWitness(witnessFolder(), [first(lab)], '--name', 'w');
  await expect(send(early)).rejects.toThrow(
    '(403): give its operator the newest key of the log, which audit verify prints',
  );
  const newest = /^keys: 2, .*; the newest is (\S+)$/m.exec((await verified(lab, early.key)).out)![1]!;
  expect(newest).not.toBe(first(lab));
  const late = await startWitness(witnessFolder(), [newest], '--name', 'w');
  await send(late);
  expect((await verified(lab, late.key)).code).toBe(0);
});

test('two replicas witness each other', async () => {
  const labs = [labOfNow(), labOfNow()];
  for (const [at, lab] of labs.entries()) {
    Object.assign(lab.settings, { origin: `wiki.example.com/meshgate/gw-${at}`, witnesses: [{ url: 'x', key: 'y' }] });
    await grow(lab);
  }
  const witnesses = await Promise.all(
    labs.map((_, at) => startWitness(witnessFolder(), [first(labs[1 - at]!)], '--name', `gw-${at}/witness`)),
  );
  for (const [at, lab] of labs.entries()) {
    const { url, key } = witnesses[1 - at]!;
    await cosign(machineOf(lab), { url, key });
    expect((await verified(lab, key)).code).toBe(0);
    // Of its own log, each witness knows nothing.
    const own = { url: witnesses[at]!.url, key: witnesses[at]!.key };
    await expect(cosign(machineOf(lab), own)).rejects.toThrow('it does not know the log wiki.example.com/meshgate/gw-');
  }
});

test('asks a witness behind TLS, whose certificate the CA of the policy or a public CA has to sign', async () => {
  const lab = labOfNow();
  await grow(lab);
  const { url, key } = await startWitness(witnessFolder(), [first(lab)], '--name', 'w');
  const authority = await createCa('CA of the witness');
  const proxy = createTlsServer(await authority.server(['localhost']), (requested, answer) => {
    const { method, url: path } = requested;
    const onward = request(`${url}${path}`, { method }, (from) => {
      answer.writeHead(from.statusCode ?? 500, from.headers);
      from.pipe(answer);
    });
    requested.pipe(onward);
  }).listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  onTestFinished(() => void proxy.close());
  const at = `https://localhost:${(proxy.address() as { port: number }).port}`;
  const ask = (caFile?: string) => cosign(machineOf(lab), { url: at, key, ...(caFile && { caFile }) });
  const place = (name: string, text: string) => {
    writeFileSync(join(lab.folder, name), text);
    return join(lab.folder, name);
  };
  const other = place('other.pem', (await createCa('another CA')).cert);
  const ca = place('ca.pem', authority.cert);

  await expect(ask()).rejects.toThrow('no known CA signed its certificate: name the CA in ca_file of the witness');
  await expect(ask(other)).rejects.toThrow('no known CA signed its certificate');
  await expect(ask('/none.pem')).rejects.toThrow('there is no file /none.pem, which the policy names as its ca_file');
  expect(existsSync(cosigned(lab, parseVkey(key)))).toBe(false);
  await ask(ca);
  expect((await verified(lab, key)).code).toBe(0);
});

test('an answer that is not a cosignature of the witness changes nothing', async () => {
  const lab = labOfNow();
  await grow(lab);
  const witness = await startWitness(witnessFolder(), [first(lab)], '--name', 'w');
  await cosign(machineOf(lab), { url: witness.url, key: witness.key });
  const key = parseVkey(witness.key);
  const kept = readFileSync(cosigned(lab, key), 'utf8');
  await grow(lab);
  const signature = (bytes: number) =>
    `— w ${Buffer.concat([Buffer.from(key.id, 'hex'), Buffer.alloc(bytes, 1)]).toString('base64')}\n`;
  let answer: readonly [number, string, string?] = [200, ''];
  const server = createServer((_, response) => {
    response.writeHead(answer[0], { 'Content-Type': answer[2] ?? 'text/plain' }).end(answer[1]);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const url = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
  for (const [given, message] of [
    [[200, 'welcome\n'], 'a signature line of the note does not consist of'],
    [[200, ''], 'the note has no signature'],
    [[200, signature(71)], 'its answer has no cosignature of w+'],
    [[200, signature(64)], 'its answer has no cosignature of w+'],
    [[200, signature(72)], 'its cosignature is not kept: its time'],
    [[200, signature(72).replace('— w', '— other')], 'its answer has no cosignature of w+'],
    [[409, 'x', 'text/x.tlog.size'], 'the size in the answer of the witness is not a decimal number'],
    [[409, '3\n'], 'it answered 409 without the size that it has cosigned: 3'],
    [[409, '999\n', 'text/x.tlog.size'], 'the log was rolled back'],
    [[403, 'no\n'], 'it does not know the key of'],
    [[500, '<html>\u0007x'], 'it answered 500: <html>.x'],
  ] as const) {
    answer = given;
    await expect(cosign(machineOf(lab), { url, key: witness.key })).rejects.toThrow(message);
    expect(readFileSync(cosigned(lab, key), 'utf8')).toBe(kept);
  }
});

test('a witness that is dead or hangs delays neither the sealer nor another witness, and is named once a minute', async () => {
  const lab = labOfNow();
  await grow(lab);
  const hung = createServer(() => {}).listen(0, '127.0.0.1');
  await once(hung, 'listening');
  onTestFinished(() => {
    hung.closeAllConnections();
    hung.close();
  });
  const good = await startWitness(witnessFolder(), [first(lab)], '--name', 'w');
  const reported: string[] = [];
  const at = (server: typeof hung) => `http://127.0.0.1:${(server.address() as { port: number }).port}`;
  const dead = { url: 'http://127.0.0.1:1', key: good.key.replace(/^w/, 'w') };
  const submitter = new Submitter(
    [{ url: at(hung), key: good.key }, dead, { url: good.url, key: good.key }],
    witnessMachine(lab.machine().disk, lab.settings.folder, systemAsk(300)!, () => lab.now),
    (text) => reported.push(text),
  );
  submitter.turn();
  // It has come back before any witness was given up.
  expect(reported).toEqual([]);
  await until(() => existsSync(cosigned(lab, parseVkey(good.key))), { what: 'the cosignature' });
  await until(() => reported.length === 2, { what: 'both problems' });
  lab.now += 15;
  await grow(lab);
  submitter.turn();
  await submitter.end();
  expect(reported.map((it) => it.replace(/:\d+/g, ':PORT')).sort()).toEqual([
    expect.stringMatching(/^the witness http:\/\/127\.0\.0\.1:PORT: /),
    expect.stringMatching(/^the witness http:\/\/127\.0\.0\.1:PORT: /),
  ]);
  lab.now += 60;
  submitter.turn();
  await submitter.end();
  expect(reported.length).toBeGreaterThan(2);
});

test('refuses a body that is too long, and a second witness on the same folder', async () => {
  const lab = labOfNow();
  await grow(lab);
  const folder = witnessFolder();
  const { url } = await startWitness(folder, [first(lab)], '--name', 'w');
  const { status } = await fetch(`${url}/add-checkpoint`, { method: 'POST', body: 'x'.repeat(100_000) });
  expect(status).toBe(413);
  const second = spawn(process.execPath, ['dist/cli.js', 'audit', 'witness', '--folder', folder, '--log', first(lab)]);
  let reported = '';
  second.stderr.on('data', (text) => {
    reported += text;
  });
  expect(await once(second, 'close')).toEqual([1, null]);
  expect(reported).toContain(`another witness works on ${folder}`);
});

test('without --log, it makes its key once and prints it, also beside the witness that runs', async () => {
  const folder = witnessFolder();
  const print = async (...more: string[]) => {
    const sealing = { ...labOfNow().machine(), stopped: () => () => true };
    const { code, out, err } = await meshgate(['audit', 'witness', '--folder', folder, ...more], { sealing });
    expect({ code, err }).toEqual({ code: 0, err: '' });
    return out.trim();
  };
  const key = await print('--name', 'witness.example.com/w');
  expect(parseVkey(key)).toMatchObject({ name: 'witness.example.com/w', type: 4 });
  const lab = labOfNow();
  await grow(lab);
  const witness = await startWitness(folder, [first(lab)]);
  expect([witness.key, await print()]).toEqual([key, key]);
});

test('the witnesses of the guides for Docker and Kubernetes start as they are written', async () => {
  const yaml = (file: string, section: string) =>
    readFileSync(file, 'utf8')
      .split(`\n### ${section}\n`)[1]!
      .match(/```yaml\n([\s\S]*?)```/)![1]!;
  const [, statefulSet] = parseAllDocuments(yaml('docs/kubernetes.md', 'A witness')).map((one) => one.toJS());
  const commands: string[][] = [
    parse(yaml('docs/custody.md', 'Run a witness')).services.witness.command,
    statefulSet.spec.template.spec.containers[0].command,
  ];
  for (const [at, command] of commands.entries()) {
    const folder = witnessFolder();
    const here = command.map((part) =>
      part === '0.0.0.0:7878'
        ? '127.0.0.1:0'
        : part
            .replace(/^\/(var\/lib|logs|opt)\//, `${folder}/`)
            .replace(/^KEY_OF_REPLICA_(\d)$/, (_, number) => noteKey(`wiki.example.com/meshgate/gw-${number}`).vkey),
    );
    cpSync('dist/cli.js', join(folder, 'meshgate.mjs'));
    for (const log of ['gw-0', 'gw-1'])
      writeFileSync(join(folder, `${log}.vkey`), `${noteKey(`wiki.example.com/meshgate/${log}`).vkey}\n`);
    const child = spawn(process.execPath, here.slice(1));
    onTestFinished(() => void child.kill('SIGKILL'));
    let reported = '';
    child.stderr.on('data', (text) => {
      reported += text;
    });
    await until(() => reported.includes('the witness listens on'), {
      what: `witness ${at} to listen`,
      help: () => reported,
    });
    expect(reported).toMatch(/^meshgate: the witness listens on .*\n$/);
  }
});

test('needs an engine that can listen', async () => {
  const { code, err } = await meshgate(['audit', 'witness', '--folder', '/w', '--log', 'x']);
  expect({ code, err }).toEqual({
    code: 2,
    err: expect.stringContaining('this engine cannot listen: run this command on Node'),
  });
});

test.each([
  [['--log', 'KEY'], 'name the folder of the witness with --folder'],
  [['--folder', 'FOLDER'], 'give the witness a name with --name'],
  [['--folder', 'FOLDER', '--log', 'KEY'], 'give the witness a name with --name'],
  [['--folder', 'FOLDER', '--log', 'KEY', '--name', 'a b'], '--name a b has a space or a plus'],
  [['--folder', 'FOLDER', '--log', 'KEY', '--listen', '7878'], '--listen 7878 is not an address and a port'],
])('says what is wrong with %j', async (args, message) => {
  const key = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
  const folder = witnessFolder();
  const given = args.map((it) => (it === 'KEY' ? key : it === 'FOLDER' ? folder : it));
  const sealing = { ...labOfNow().machine(), stopped: () => () => true };
  expect((await meshgate(['audit', 'witness', ...given], { sealing })).err).toContain(message);
});
