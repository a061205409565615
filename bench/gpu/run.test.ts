import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const RUN = fileURLToPath(new URL('./run.ts', import.meta.url));
const run = (...args: string[]) => spawnSync(process.execPath, ['--import', 'tsx', RUN, ...args], { encoding: 'utf8' });

it('measures every kind of work and its share of the ceilings', () => {
  const { stdout, stderr, status } = run('--device', 'cpu', '--quick', '--json');
  expect(stderr).toBe('');
  expect(status).toBe(0);
  const { ceilings, tables } = JSON.parse(stdout) as {
    ceilings: Record<string, number | null>;
    tables: { rows: { work: string; ms: number; ofMatrix: number; ofMemory: number | null }[] }[];
  };
  expect(ceilings['float32']).toBeGreaterThan(0);
  expect(ceilings['memory']).toBeGreaterThan(0);
  const rows = tables[0]!.rows;
  expect(rows.map(({ work }) => work)).toEqual([
    'forward, logits of the last token',
    'degree spectrum',
    'top 10 paths',
    '20 path effects',
    'EAP on all 110 edges',
  ]);
  for (const { ms, ofMatrix } of rows) {
    expect(ms).toBeGreaterThan(0);
    expect(ofMatrix).toBeGreaterThan(0);
  }
});

it('refuses what there is not', () => {
  const { stderr, status } = run('--device', 'abacus');
  expect(stderr).toBe('bench:gpu: --device: expected cuda, cpu, got "abacus"\n');
  expect(status).toBe(2);
});
