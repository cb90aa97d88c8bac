import { parseVkey } from '../../audit/log/note.ts';
import { disk, folderOf, ifThere } from '../../audit/seal/disk.ts';
import type { WitnessSettings } from '../../audit/seal/settings.ts';
import { type CosigningMachine, cosign, cosignedAt } from '../../audit/witness/witnesses.ts';
import { composed } from '../../base/composed-key.ts';
import { FROM_EGRESS } from '../../base/internal-headers.ts';
import { isRepeated, WITNESS_TIMEOUT_MS } from '../../base/limits.ts';
import type { HealthConfig } from '../../health/types.ts';
import { svidsDict } from '../shared/dicts.ts';
import { whyNot, withTimeout } from '../shared/egress-call.ts';

/** A worker from before a reload has answered. It still accepts requests to the egress server, and does not know the
 * location of a new witness. */
class EarlierWorker extends Error {}

/** What a worker needs to ask for cosignatures. It has no Ed25519: `audit verify` verifies them. */
function machineOf(folder: string, send: (body: string) => Promise<Response>): CosigningMachine {
  return {
    now: () => Date.now() / 1000,
    load: (name) => ifThere(() => disk.load(`${folder}/${name}`)),
    put(name, text) {
      const path = `${folder}/${name}`;
      if (!ifThere(() => disk.stat(folderOf(path)))) disk.makeFolder(folderOf(path));
      disk.put(path, text);
    },
    async post(_, body) {
      const answer = await withTimeout(send(body), WITNESS_TIMEOUT_MS);
      if (!/^\d/.test(answer.headers.get(FROM_EGRESS.reached) ?? '')) {
        if (answer.status === 404) throw new EarlierWorker();
        throw new Error(`no connection${whyNot(answer.headers)}`);
      }
      return { status: answer.status, type: answer.headers.get('Content-Type') ?? '', text: await answer.text() };
    },
  };
}

/** Asks one witness, and logs a problem at most once a minute. */
async function ask(folder: string, egress: string, witness: WitnessSettings, index: number): Promise<void> {
  const send = (body: string) =>
    ngx.fetch(`http://unix:${egress}:/witness/${index}`, {
      method: 'POST',
      headers: { Host: 'meshgate' },
      body,
    }) as Promise<Response>;
  const reported = composed('witness', witness.url);
  try {
    await cosign(machineOf(folder, send), witness);
    svidsDict().delete(reported);
  } catch (error) {
    if (error instanceof EarlierWorker) return;
    const now = Date.now() / 1000;
    if (isRepeated(Number(svidsDict().get(reported) ?? 0), now)) return;
    svidsDict().set(reported, String(now));
    ngx.log(ngx.WARN, `meshgate: the witness ${witness.url}: ${(error as Error).message}; it is asked again`);
  }
}

/** Sends the newest checkpoint of the log to each witness. None of them waits for another. */
export async function askWitnesses({ audit, witnesses }: HealthConfig): Promise<void> {
  if (audit === undefined || witnesses === undefined) return;
  await Promise.all(witnesses.all.map((witness, index) => ask(audit, witnesses.egress, witness, index)));
}

/** Returns how old the newest cosignature of each witness is, in seconds; infinite if there is none. */
export function witnessAges({ audit, witnesses }: HealthConfig, now: number): readonly (readonly [string, number])[] {
  const load = (name: string) => ifThere(() => disk.load(`${audit}/${name}`));
  return (witnesses?.all ?? []).map(({ key }) => {
    const parsed = parseVkey(key);
    const at = cosignedAt({ load, now: () => now }, parsed);
    return [parsed.name, at === undefined ? Number.POSITIVE_INFINITY : Math.max(0, now - at)];
  });
}
