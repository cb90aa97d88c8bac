import { readdirSync, readFileSync } from 'node:fs';
import { docker } from '../harness/docker.ts';
import { until } from '../harness/until.ts';

/** Nanoseconds on a CPU: the first field of /proc/PID/schedstat. */
export function cpuOf(schedstat: string): number {
  const value = Number(schedstat.split(' ')[0]);
  if (!Number.isFinite(value)) throw new Error('/proc/PID/schedstat is not readable as numbers');
  return value;
}

/** Kilobytes of the fields of /proc/PID/smaps_rollup. */
export interface Memory {
  /** All resident pages, with those of the shared dictionaries and the libraries. */
  readonly rss: number;
  /** Pages that this process alone has written. */
  readonly privateDirty: number;
}

export function memoryOf(rollup: string): Memory {
  const field = (name: string) => {
    const found = new RegExp(`^${name}: +(\\d+) kB$`, 'm').exec(rollup);
    if (!found) throw new Error(`/proc/PID/smaps_rollup has no ${name}`);
    return Number(found[1]);
  };
  return { rss: field('Rss'), privateDirty: field('Private_Dirty') };
}

/** The CPU that all processes of a container have used, also those that have ended, in nanoseconds.
 * @param pid of one of them */
function cpuOfContainer(pid: number): number {
  const groups = read(`/proc/${pid}/cgroup`);
  const old = /^\d+:cpuacct:(.*)$/m.exec(groups)?.[1] ?? /^\d+:cpu,cpuacct:(.*)$/m.exec(groups)?.[1];
  if (old !== undefined) return Number(readFileSync(`/sys/fs/cgroup/cpuacct${old}/cpuacct.usage`, 'utf8'));
  const path = /^0::(.*)$/m.exec(groups)?.[1];
  const used = /^usage_usec (\d+)$/m.exec(readFileSync(`/sys/fs/cgroup${path}/cpu.stat`, 'utf8'))?.[1];
  if (used === undefined) throw new Error(`the control group ${path} has no usage_usec`);
  return Number(used) * 1000;
}

/** The process that answers, by its id on this machine: one nginx worker, or a server that has no workers. */
export class Worker {
  readonly #pid: number;
  readonly #inside: string;
  readonly #container: string;

  private constructor(container: string, pid: number, inside: string) {
    this.#container = container;
    this.#pid = pid;
    this.#inside = inside;
  }

  /**
   * The only worker of the nginx that is a container's first process.
   *
   * @param alone the first process itself answers
   */
  static async of(container: string, alone = false): Promise<Worker> {
    const first = Number(await docker('inspect', '--format', '{{.State.Pid}}', container));
    const pid = alone ? first : await until(() => onlyWorker(first), { what: `one nginx worker in ${container}` });
    const inside = /^NSpid:.*\s(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]!;
    return new Worker(container, pid, inside);
  }

  /** Nanoseconds of CPU that all processes of its container have used so far. */
  cpuOfAll(): number {
    return cpuOfContainer(this.#pid);
  }

  /** Nanoseconds of CPU that its threads have used so far. */
  cpu(): number {
    const threads = readdirSync(`/proc/${this.#pid}/task`);
    return threads
      .map((id) => cpuOf(readFileSync(`/proc/${this.#pid}/task/${id}/schedstat`, 'utf8')))
      .reduce((sum, value) => sum + value, 0);
  }

  /** Its current memory, read inside the container, whose user may read it. */
  async memory(): Promise<Memory> {
    return memoryOf(await docker('exec', this.#container, 'cat', `/proc/${this.#inside}/smaps_rollup`));
  }
}

function onlyWorker(master: number): number | undefined {
  // If the log is sealed, the first process starts nginx and the sealer.
  const below = childrenOf(master);
  const masters = [master, ...below.filter((pid) => titleOf(pid).startsWith('nginx: master process'))];
  const workers = masters.flatMap(childrenOf).filter((pid) => titleOf(pid).startsWith('nginx: worker process'));
  return workers.length === 1 ? workers[0] : undefined;
}

function childrenOf(parent: number): number[] {
  const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return all.map(Number).filter((pid) => parentOf(pid) === parent);
}

/** A process may be gone when it is looked at. */
function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function parentOf(pid: number): number {
  return Number(/^PPid:\s+(\d+)$/m.exec(read(`/proc/${pid}/status`))?.[1]);
}

function titleOf(pid: number): string {
  return read(`/proc/${pid}/cmdline`);
}
