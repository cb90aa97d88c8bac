/** A problem that a person can fix: printed as one line, without a stack. */
export class Trouble extends Error {}

/** Runs a command's main function; a {@link Trouble} is one line and exit code 1. */
export async function command(name: string, main: () => Promise<void>): Promise<void> {
  try {
    await main();
  } catch (error) {
    process.exitCode = 1;
    if (!(error instanceof Trouble)) throw error;
    console.error(`${name}: ${error.message}`);
  }
}

/** Runs one step, and prints the step and its duration on standard error. */
export async function step<T>(what: string, work: () => Promise<T>): Promise<T> {
  const started = performance.now();
  process.stderr.write(`demo: ${what} … `);
  try {
    const result = await work();
    const note = typeof result === 'string' ? `${result}, ` : '';
    process.stderr.write(`${note}${((performance.now() - started) / 1000).toFixed(1)} s\n`);
    return result;
  } catch (error) {
    process.stderr.write('failed\n');
    throw error;
  }
}
