import type { Box } from './container.ts';
import type { Credential } from './pki.ts';

async function run(box: Box, user: string, script: string): Promise<void> {
  const { exitCode, stdout, stderr } = await box.execAs(user, 'sh', '-ec', script);
  if (exitCode !== 0) throw new Error(`${box.alias}: ${stdout}${stderr}`);
}

/** The user of the gateway's image. */
const USER = '10101';

/**
 * Writes an SVID as spiffe-helper does: certificate, key and bundle one after the other, each over the file that is
 * there, the key for its owner alone. It runs as the gateway's user.
 *
 * @param dir its `cert_dir`
 * @param change runs between certificate and key, in a shell
 */
export async function writeSvid(box: Box, dir: string, svid: Credential, bundle: string, change = ':'): Promise<void> {
  const files = { 'svid.pem': svid.cert, 'svid_key.pem': svid.key, 'svid_bundle.pem': bundle };
  const staged = Object.entries(files).map(([name, content]) => ({
    content,
    target: `/tmp/svid/${name}`,
    mode: 0o644,
  }));
  await box.started.copyContentToContainer(staged);
  await run(box, 'root', `mkdir -p ${dir}; chmod 777 ${dir}`);
  // A file of root becomes one of the gateway's user, and only then does its content change.
  const owned = `cd ${dir}; for file in ${Object.keys(files).join(' ')}; do
    [ ! -e $file ] || [ -O $file ] || { cat $file > $file.own; mv -f $file.own $file; }
  done; : >> svid_key.pem; chmod 600 svid_key.pem`;
  const write = (name: string) => `cat /tmp/svid/${name} > ${dir}/${name}`;
  await run(
    box,
    USER,
    `${owned}; ${write('svid.pem')}; ${change}; ${write('svid_key.pem')}; ${write('svid_bundle.pem')}`,
  );
}
