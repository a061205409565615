import { parseArgs } from 'node:util';
import { Fuzzing } from './fuzzing.ts';

/**
 * `npm run fuzz -- --seed 1 --cases 100000`: throws that many random frames and requests at a server of its own and
 * tells what became of them. Exit code 1 where anything broke; the same seed throws the same.
 */

const USAGE = 'fuzz: expected --seed and --cases as whole numbers, and --from where a run is to begin later than at case 0';
const BATCH = 500;

const { values } = parseArgs({ options: { seed: { type: 'string' }, cases: { type: 'string' }, from: { type: 'string' } } });
const [seed, cases, from] = [values.seed ?? '1', values.cases ?? '100000', values.from ?? '0'].map(Number);
if (seed === undefined || cases === undefined || from === undefined || ![seed, cases, from].every(Number.isSafeInteger)) {
  process.stderr.write(`${USAGE}\n`);
  process.exit(2);
}

const fuzzing = await Fuzzing.open(seed);
const begun = performance.now();
let told = 0;
for (let at = from; at < from + cases; at += BATCH) {
  // It listens for what nobody catches, so that a rejection would end in silence.
  await fuzzing
    .run(at, Math.min(at + BATCH, from + cases))
    .catch((error: unknown) => fuzzing.failures.push(`case ${at} on: ${String(error)}`));
  const { tally, failures } = fuzzing;
  const seconds = Math.round((performance.now() - begun) / 1000);
  for (const failure of failures.slice(told)) process.stdout.write(`${failure}\n`);
  told = failures.length;
  process.stdout.write(`${tally.cases} cases, ${seconds} s, ${failures.length} failures, ${Math.round(tally.rss / 1e6)} MB resident\n`);
}
await fuzzing.close();
process.stdout.write(`${JSON.stringify({ seed, from, ...fuzzing.tally, failures: fuzzing.failures }, null, 2)}\n`);
process.exit(fuzzing.failures.length > 0 ? 1 : 0);
