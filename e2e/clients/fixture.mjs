// What the programs in JavaScript share: the fixture that they are given, one line per check, the person.
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';

export const fixture = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const run = promisify(execFile);
let passed = 0;
let failed = 0;

/** Checks of one library: `check(name, act)` counts what `act` does, and shows what it returns. */
export function checksOf(library) {
  return async (name, act) => {
    try {
      const seen = await act();
      passed += 1;
      console.log(`ok     ${fixture.name}, ${library}: ${name}${seen ? ` (${seen})` : ''}`);
    } catch (error) {
      failed += 1;
      const why = [error.code, error.error, error.error_description, error.message, JSON.stringify(error.cause)].filter(Boolean).join(', ');
      console.log(`FAILED ${fixture.name}, ${library}: ${name}: ${why}`.replaceAll(/\b(ac|at|in|rt|se)_[\w-]{46,}/g, '$1_…'));
    }
  };
}

export function expect(good, what) {
  if (!good) throw new Error(`not so: ${what}`);
}

/** The person signs in and allows; the address at which the client gets its answer. */
export async function authorizationAnswer(url) {
  const { stdout } = await run(process.env.PYTHON ?? 'python3', ['-B', fixture.person, process.argv[2], url.href]);
  return new URL(stdout.trim());
}

/** The person decides at the address that a device shows: `confirm` or `deny`; the name of the last page. */
export async function decide(address, action) {
  const { stdout } = await run(process.env.PYTHON ?? 'python3', ['-B', fixture.person, process.argv[2], address, action]);
  return stdout.trim();
}

/** The person signs in and presses this button, `allow` or `deny`, for all that clients have asked; how often. */
export async function decideAll(action) {
  const { stdout } = await run(process.env.PYTHON ?? 'python3', ['-B', fixture.person, process.argv[2], action]);
  return Number(stdout.trim());
}

/** The line of totals. */
export function close() {
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed ? 1 : 0;
}
