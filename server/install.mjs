import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Brings node_modules to what the lockfile asks for. Node's own modules alone: it runs before anything is installed. */

export const ROOT = fileURLToPath(new URL('..', import.meta.url));
const OLDEST_NODE = [20, 9];
const INSTALL_STAMP = join(ROOT, 'node_modules', '.pathboard-install');

export function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1])) return;
  stop(`Node: expected version ${OLDEST_NODE.join('.')} or later, got ${process.versions.node}`);
}

export async function install() {
  const wanted = hashOf([readFileSync(join(ROOT, 'package-lock.json'))]);
  if (readText(INSTALL_STAMP) === wanted) return;
  if (!isInstalled()) {
    console.log('Installing packages …');
    // onnxruntime-node would fetch GPU libraries of several hundred megabytes from a host that may be out of reach.
    const installing = { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip' };
    delete installing.NODE_ENV;
    const npm = process.env.npm_execpath;
    const args = ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'];
    const status = npm?.endsWith('.js')
      ? await run(process.execPath, [npm, ...args], installing)
      : await run('npm', args, installing, process.platform === 'win32');
    if (status !== 0) stop(`npm ci: expected exit code 0, got ${status}`);
  }
  writeFileSync(INSTALL_STAMP, wanted);
}

/** True when somebody has installed exactly what the lockfile asks for already. */
function isInstalled() {
  const installed = readText(join(ROOT, 'node_modules', '.package-lock.json'));
  if (installed === null) return false;
  const have = JSON.parse(installed).packages;
  const want = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')).packages;
  return Object.entries(want).every(
    ([path, { version, optional, devOptional, peer }]) => path === '' || optional || devOptional || peer || have[path]?.version === version,
  );
}

export function hashOf(parts) {
  const hash = createHash('sha256').update(`node ${process.versions.node.split('.')[0]}\n`);
  for (const part of parts) hash.update(`${part.length}:`).update(part);
  return hash.digest('hex');
}

export function readText(path) {
  return existsSync(path) ? readFileSync(path, 'utf8') : null;
}

function run(command, args, environment, shell = false) {
  return new Promise((done) => {
    const child = spawn(command, args, { cwd: ROOT, env: environment, stdio: ['ignore', 'ignore', 'inherit'], shell });
    child.once('error', (error) => stop(`${command}: expected a program that runs, got ${error.message}`));
    child.once('exit', (status, signal) => done(status ?? signal));
  });
}

export function stop(line) {
  console.error(line);
  process.exit(1);
}
