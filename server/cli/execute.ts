import { resolve } from 'node:path';
import { EngineError, isEngineError } from '../../lib/engine/index.ts';
import { makeHome } from '../files.ts';
import { isRefusal } from '../refusal.ts';
import { ROOT, USAGE, parse, type Command } from './options.ts';
import { write } from './output.ts';

/** Each is loaded when it is asked for: most of them need a small part of the server. */
const COMMANDS: Record<string, () => Promise<(command: Command) => Promise<void>>> = {
  models: async () => (await import('./models.ts')).models,
  import: async () => (await import('./models.ts')).importing,
  dictionary: async () => (await import('./dictionaries.ts')).dictionary,
  features: async () => (await import('./dictionaries.ts')).features,
  analyze: async () => (await import('./analyze.ts')).analyze,
  devices: async () => (await import('./devices.ts')).devices,
  prompts: async () => (await import('./analyze.ts')).prompts,
  boards: async () => (await import('./team.ts')).boards,
  invite: async () => (await import('./team.ts')).invite,
  audit: async () => (await import('./team.ts')).audit,
  link: async () => (await import('./team.ts')).link,
  password: async () => (await import('./team.ts')).password,
  export: async () => (await import('./files.ts')).exporting,
  'import-graph': async () => (await import('./files.ts')).importingGraph,
  workers: async () => (await import('./workers.ts')).workers,
  backup: async () => (await import('./backup.ts')).backup,
  restore: async () => (await import('./backup.ts')).restore,
  'move-to-postgres': async () => (await import('./backup.ts')).move,
};

async function main(args: string[]): Promise<void> {
  const { values, positionals } = parse(args);
  const [name, ...words] = positionals;
  if (values.help || name === undefined) return write(USAGE);
  const load = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (!load) throw new EngineError('bad-request', 'command', listed(Object.keys(COMMANDS)), JSON.stringify(name));
  const home = resolve(process.env['PATHBOARD_HOME'] || resolve(ROOT, '.pathboard'));
  makeHome(home);
  const command = await load();
  await command({ home, words, values });
}

function listed(names: string[]): string {
  return `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`;
}

interface Told {
  /** a refusal, rather than a fault of ours */
  known: boolean;
  code: string;
  message: string;
}

function tellOf(error: unknown): Told {
  const message = lineOf(error);
  if (isEngineError(error) || isRefusal(error)) return { known: true, code: error.code, message };
  if (!(error instanceof Error)) return { known: false, code: 'internal', message };
  if ('isLockedError' in error) return { known: true, code: 'conflict', message };
  if ('isStartError' in error) return { known: true, code: 'bad-request', message };
  if (error.name === 'AbortError') return { known: true, code: 'cancelled', message: 'pathboard: expected to finish, got an interrupt' };
  return { known: false, code: 'internal', message };
}

/** A statement that failed is not repeated with all that it was given. */
function lineOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const isStatement = error.message.startsWith('Failed query');
  const text = isStatement && error.cause instanceof Error ? `database: ${error.cause.message}` : error.message;
  return text.replaceAll(/\s*\n\s*/g, ' ');
}

/** Executes a command line. Returns the exit code: 0, 2 for a refusal, 1 for a fault of ours. */
export async function execute(args: string[]): Promise<number> {
  try {
    await main(args);
    return 0;
  } catch (error) {
    const { known, code, message } = tellOf(error);
    process.stderr.write(`${message}\n`);
    if (args.includes('--json')) write(JSON.stringify({ error: { code, message } }));
    return known ? 2 : 1;
  }
}
