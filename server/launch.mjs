import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * `npm start` and `npm run dev`: installs and builds what has changed, then starts the server. Plain JavaScript
 * with Node's own modules alone, because it runs before anything is installed.
 */

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const OLDEST_NODE = [20, 9];
const INSTALL_STAMP = join(ROOT, 'node_modules', '.pathboard-install');
const BUILD_STAMP = join(ROOT, '.next', 'pathboard-build');
const BUILT_FROM = ['app', 'lib', 'server', 'db', 'package-lock.json', 'next.config.mjs', 'postcss.config.mjs', 'tsconfig.json'];
const NOT_BUILT = /\.test\.tsx?$/;

const dev = process.argv.includes('--dev');
const env = { ...process.env, NEXT_TELEMETRY_DISABLED: '1', NODE_ENV: dev ? 'development' : 'production' };

checkNode();
await install();
if (!dev) await build();
await serve();

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1])) return;
  stop(`Node: expected version ${OLDEST_NODE.join('.')} or later, got ${process.versions.node}`);
}

async function install() {
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

async function build() {
  const wanted = hashOf(sources().flatMap((path) => [path, readFileSync(join(ROOT, path))]));
  if (readText(BUILD_STAMP) === wanted && existsSync(join(ROOT, '.next', 'BUILD_ID'))) return;
  console.log('Building …');
  const next = join(ROOT, 'node_modules', 'next', 'dist', 'bin', 'next');
  const { status, output } = await runQuietly(process.execPath, [next, 'build']);
  if (status !== 0) stop(`${output}\nnext build: expected exit code 0, got ${status}`);
  mkdirSync(dirname(BUILD_STAMP), { recursive: true });
  writeFileSync(BUILD_STAMP, wanted);
}

async function serve() {
  // Over the channel the server notices when this process is killed, and stops too.
  const child = spawn(process.execPath, ['--import', 'tsx', join('server', 'main.ts')], { cwd: ROOT, env, stdio: ['inherit', 'inherit', 'inherit', 'ipc'] });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal === 'SIGHUP' ? 'SIGTERM' : signal));
  const [status, signal] = await new Promise((done) => {
    child.once('exit', (...outcome) => done(outcome));
  });
  process.exit(signal ? 1 : status);
}

function sources() {
  const found = [];
  const visit = (path) => {
    const full = join(ROOT, path);
    if (!existsSync(full)) return;
    if (statSync(full).isFile()) {
      if (!NOT_BUILT.test(path)) found.push(path);
      return;
    }
    for (const name of readdirSync(full).sort()) visit(`${path}/${name}`);
  };
  for (const path of BUILT_FROM) visit(path);
  return found;
}

function hashOf(parts) {
  const hash = createHash('sha256').update(`node ${process.versions.node.split('.')[0]}\n`);
  for (const part of parts) hash.update(`${part.length}:`).update(part);
  return hash.digest('hex');
}

function readText(path) {
  return existsSync(path) ? readFileSync(path, 'utf8') : null;
}

function run(command, args, environment, shell = false) {
  return new Promise((done) => {
    const child = spawn(command, args, { cwd: ROOT, env: environment, stdio: ['ignore', 'ignore', 'inherit'], shell });
    child.once('error', (error) => stop(`${command}: expected a program that runs, got ${error.message}`));
    child.once('exit', (status, signal) => done(status ?? signal));
  });
}

/** Output is shown only when something went wrong. */
function runQuietly(command, args) {
  return new Promise((done) => {
    const child = spawn(command, args, { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.on('data', (data) => (output += data));
    child.stderr.on('data', (data) => (output += data));
    child.once('exit', (status, signal) => done({ status: status ?? signal, output }));
  });
}

function stop(line) {
  console.error(line);
  process.exit(1);
}
