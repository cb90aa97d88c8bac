/**
 * The last line of .ci/run: `count.ts FOLDER CHECK TEST` adds up the results in the folder and the exit codes of `make
 * check` and `make test`. Exit code 1 if anything failed, or nothing ran.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { count, merge, type Results, sentence } from './results.ts';

const [folder = '.', check = '1', test = '1'] = process.argv.slice(2);
const files = readdirSync(folder).filter((name) => name.endsWith('.json'));
const results = merge(files.map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as Results));
const failedTests = Object.entries(results).filter(([, state]) => state === 'failed');
for (const [name] of failedTests) console.error(`failed: ${name}`);

// A command that fails for another reason than a test (types, lint, an image) counts as one failure.
const commands = [
  ['make check', check],
  ['make test', test],
].filter(([, code]) => code !== '0');
for (const [name, code] of commands) console.error(`failed: ${name} (exit ${code})`);
if (failedTests.length === 0) for (const [name] of commands) results[name!] = 'failed';

const total = count(results);
if (total.passed === 0 && total.failed === 0) results['no test ran'] = 'failed';
console.log(sentence(count(results)));
process.exitCode = count(results).failed === 0 ? 0 : 1;
