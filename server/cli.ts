import { execute } from './cli/execute.ts';

/** The `pathboard` command. With --json stdout is exactly one JSON value; a refusal is one line and exit code 2. */

// Whoever reads our output may stop early, as `head` does.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

const code = await execute(process.argv.slice(2));
// Once all is written: what failed may have left something running.
process.stdout.write('', () => process.exit(code));
