import { spawnSync } from 'node:child_process';
import { ROOT, checkNode, install, stop } from './install.mjs';

/** `npm test`: installs what is missing, then every check and test, each in its own process; the first failure ends it. */

checkNode();
await install();

const STEPS = [
  ['check', ['npm', 'run', '-s', 'check']],
  ['browser', ['node', 'e2e/browser.mjs']],
  ['unit and integration', ['npx', 'vitest', 'run']],
  ['end to end', ['npx', 'playwright', 'test', '--config', 'e2e/playwright.config.ts']],
];

for (const [name, [command, ...args]] of STEPS) {
  console.log(`\n── ${name}`);
  const started = Date.now();
  const { status, signal } = spawnSync(command, args, {
    cwd: ROOT,
    stdio: 'inherit',
    env: { ...process.env, NEXT_TELEMETRY_DISABLED: '1' },
  });
  if (status !== 0) stop(`${name}: expected exit code 0, got ${status ?? signal}`);
  console.log(`── ${name}: passed in ${Math.round((Date.now() - started) / 1000)} s`);
}
