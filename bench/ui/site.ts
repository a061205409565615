import { spawnSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { launch } from '../../e2e/server.ts';
import { randomLens, writeModel } from '../../server/engine/random-model.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const BUILT_IN = join(ROOT, 'public/models/attn-2l');
const SEED = 20_261_129;

/** The model whose graph has edges enough, and the one whose trie has rows enough. */
export const LARGE = 'eight-layers';
export const WIDE = { name: 'twelve-by-twelve', layers: 12, heads: 12 } as const;

export interface Site {
  url: string;
  /** signs in once */
  link: string;
  stop(): Promise<void>;
}

/** Builds what has changed, as a start does. */
export async function build(): Promise<void> {
  const home = await mkdtemp(join(tmpdir(), 'pathboard-build-'));
  const started = await launch(['server/launch.mjs'], { home, port: 0 });
  await started.stop('SIGTERM');
  await rm(home, { recursive: true, force: true });
}

/** A production server that has just started, on a folder of its own. */
export async function startSite({ withLarge }: { withLarge: boolean }): Promise<Site> {
  const home = await mkdtemp(join(tmpdir(), 'pathboard-bench-ui-'));
  if (withLarge) {
    await importRandom(home, LARGE, { layers: 8, heads: 4, d: 32 });
    await importRandom(home, WIDE.name, { layers: WIDE.layers, heads: WIDE.heads, d: 96 });
  }
  const running = await launch(['--import', 'tsx', 'server/main.ts'], { home, port: 0 });
  return {
    url: running.url,
    link: running.ownerLink!,
    async stop() {
      await running.stop('SIGTERM');
      await rm(home, { recursive: true, force: true });
    },
  };
}

async function importRandom(home: string, name: string, shape: { layers: number; heads: number; d: number }): Promise<void> {
  const drafts = join(home, 'drafts');
  await mkdir(drafts);
  const sizes = { ...shape, dHead: 8, dMlp: 0, vocabulary: 3072, context: 256, norm: 'LN', activation: null } as const;
  const folder = await writeModel(randomLens(sizes, SEED), drafts);
  await cp(join(BUILT_IN, 'tokenizer.json'), join(folder, 'tokenizer.json'));
  const env = { ...process.env, PATHBOARD_HOME: home };
  const args = ['--import', 'tsx', 'server/cli.ts', 'import', folder, '--name', name, '--json'];
  const { status, stderr } = spawnSync(process.execPath, args, { cwd: ROOT, env, encoding: 'utf8' });
  if (status !== 0) throw new Error(`import of ${name}: expected exit code 0, got ${status}\n${stderr}`);
  await rm(drafts, { recursive: true });
}
