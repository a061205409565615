import { execFileSync } from 'node:child_process';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { tortureByConvergence } from './convergence.ts';
import { tortureByKills } from './kills.ts';
import type { EngineName } from './site.ts';

/**
 * `npm run torture -- --engine pglite|postgres [--kills 200] [--instances 1] [--seed 1] [--minutes M]` kills servers while people work;
 * `npm run torture -- --convergence 1000 [--engine postgres] [--instances 3] [--seed 1]` lets people work over bad networks
 * and compares what everybody sees. Exit code 1 where anything was lost, or differs.
 */

const { values } = parseArgs({
  options: {
    engine: { type: 'string' },
    kills: { type: 'string', default: '200' },
    convergence: { type: 'string' },
    instances: { type: 'string' },
    seed: { type: 'string', default: '1' },
    minutes: { type: 'string' },
  },
});

const SHOWN = 40;
const seed = whole('seed', values.seed);
const instances = whole('instances', values.instances ?? (values.convergence === undefined || values.engine === 'pglite' ? '1' : '3'));
const engine = engineOf(values.engine ?? (values.convergence === undefined ? 'pglite' : 'postgres'));
if (engine === 'pglite' && instances !== 1) throw new Error('--instances: expected 1 on pglite, which one process alone may open');
const say = (line: string) => console.log(line);

say(describePlace());
const figures = await torture();
if (figures === null) {
  say('Nothing was tested: PostgreSQL or Redis is not installed.');
  process.exit(1);
}
const { problems, ...counts } = figures;
for (const [name, value] of Object.entries(counts))
  say(`${name.padEnd(16)} ${typeof value === 'object' ? JSON.stringify(value) : Math.round(value)}`);
say(`${'problems'.padEnd(16)} ${problems.length}   lost, different, undeservedly refused, quarantined, or a server that ended by itself`);
for (const problem of problems.slice(0, SHOWN)) say(`- ${problem}`);
if (problems.length > 0) say(`Again: npm run torture -- ${commandLine()}`);
process.exit(problems.length === 0 ? 0 : 1);

function torture() {
  if (values.convergence !== undefined) {
    return tortureByConvergence({ engine, instances, seed, seeds: whole('convergence', values.convergence), say });
  }
  const minutes = values.minutes === undefined ? null : Number(values.minutes);
  return tortureByKills({ engine, instances, seed, kills: whole('kills', values.kills), minutes, say });
}

/** For one seed of a convergence, the number is in its line. */
function commandLine(): string {
  const what = values.convergence === undefined ? `--kills ${values.kills}` : '--convergence 1';
  return `--engine ${engine} --instances ${instances} ${what} --seed ${values.convergence === undefined ? seed : 'SEED'}`;
}

function engineOf(name: string): EngineName {
  if (name === 'pglite' || name === 'postgres') return name;
  throw new Error(`--engine: expected pglite or postgres, got ${name}`);
}

function whole(option: string, text: string): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number >= 0) return number;
  throw new Error(`--${option}: expected a whole number, got ${text}`);
}

function describePlace(): string {
  const system = /PRETTY_NAME="(.*)"/.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? process.platform;
  const cpu = `${cpus()[0]?.model.trim() ?? 'unknown'}, ${availableParallelism()} cores, ${Math.round(totalmem() / 2 ** 30)} GiB`;
  return [cpu, system, `Node ${process.version}`, versionOf('postgres'), versionOf('redis-server')].filter(Boolean).join('; ');
}

function versionOf(program: string): string {
  try {
    return execFileSync(program, ['--version'], { encoding: 'utf8' }).trim().split(' sha=')[0] ?? '';
  } catch {
    return '';
  }
}
