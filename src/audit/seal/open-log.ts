import { type Disk, ifThere, type Stat } from './disk.ts';
import { Refused } from './fatal.ts';
import { PRIVATE_FILES } from './log-key.ts';

const isSame = (one: Stat | undefined, other: Stat): boolean => one?.dev === other.dev && one.ino === other.ino;

const notThere = (path: string) => Object.assign(new Error(`${path} is a link, or was replaced`), { code: 'ENOENT' });

/** Returns a disk that opens no links and no private keys, for the log and its rotated files. Sealed lines are public: if the
 * log could be a link, anyone who can put one there would see what only the sealer may read, such as its key.
 * @param privatePath the folder of the key */
export const logDisk = (disk: Disk, { log, privatePath }: { log: string; privatePath: string }): Disk => ({
  ...disk,
  open(path) {
    const fd = disk.open(path);
    try {
      const [opened, link] = [disk.statOpen(fd), disk.link(path)];
      if (link.isSymbolicLink() && path === log)
        throw new Refused(
          `${path} is a link, so it is not sealed: write the path of the file itself in gateway.audit.log`,
        );
      if (
        PRIVATE_FILES.some((name) =>
          isSame(
            ifThere(() => disk.stat(`${privatePath}/${name}`)),
            opened,
          ),
        )
      )
        throw new Refused(
          `${path} is a private key, so it is not sealed: write the path of the log in gateway.audit.log`,
        );
      if (!isSame(link, opened)) throw notThere(path);
      return fd;
    } catch (error) {
      disk.close(fd);
      throw error;
    }
  },
});
