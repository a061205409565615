import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ROOT, checkNode, hashOf, install, readText, stop } from './install.mjs';

/**
 * `npm start`, `npm run dev` and `npm run worker`: installs and builds what has changed, then starts the server, or a
 * worker, which needs no build. Plain JavaScript with Node's own modules alone, because it runs before anything is installed.
 */

const BUILD_STAMP = join(ROOT, '.next', 'pathboard-build');
const BUILT_FROM = ['app', 'lib', 'server', 'db', 'package-lock.json', 'next.config.mjs', 'postcss.config.mjs', 'tsconfig.json'];
/** Large packages, loaded before tsx looks at every module that is: a fifth of the time to start. */
const PRELOADED = ['next', 'drizzle-orm/pglite', 'drizzle-orm/pglite/migrator', '@electric-sql/pglite', 'zod', 'yjs', 'ws'];
const NOT_BUILT = /\.test\.tsx?$/;

const dev = process.argv.includes('--dev');
const worker = process.argv.includes('--worker');
const env = { ...process.env, NEXT_TELEMETRY_DISABLED: '1', NODE_ENV: dev ? 'development' : 'production' };

checkNode();
await install();
if (!dev && !worker) await build();
await serve();

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
  const preloaded = worker ? ['tsx'] : [...PRELOADED, 'tsx'];
  const program = join('server', worker ? 'worker.ts' : 'main.ts');
  const child = spawn(process.execPath, [...preloaded.flatMap((name) => ['--import', name]), program], {
    cwd: ROOT,
    env,
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal === 'SIGHUP' ? 'SIGTERM' : signal));
  stopWithNpm(() => child.kill('SIGTERM'));
  const [status, signal] = await new Promise((done) => {
    child.once('exit', (...outcome) => done(outcome));
  });
  process.exit(signal ? 1 : status);
}

/** npm passes a signal on to its shell alone, which dies and leaves us behind: then our parent is another one. */
function stopWithNpm(end) {
  if (process.env.npm_lifecycle_event === undefined) return;
  const parent = process.ppid;
  setInterval(() => process.ppid !== parent && end(), 500).unref();
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
