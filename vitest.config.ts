import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const ALL = ['app', 'lib', 'server', 'db', 'bench'].map((folder) => `${folder}/**/*.test.ts`);
// They take minutes: `npm run attacks`.
const ATTACKS = 'server/attacks/{documents,floods,fuzz,http,routes}.test.ts';
const CONTRACT = 'server/engine/runtime-contract.test.ts';
const GOLDENS = ['server/engine/goldens.test.ts', 'server/engine/views-*.test.ts'];
const DICTIONARIES = 'server/engine/dictionaries.test.ts';
/** Of the goldens by browsers' runtimes `npm test` runs a share, `npm run test:wasm` and `test:webgpu` the whole. */
const isWhole = process.env['ALL_GOLDENS'] !== undefined;
const HELD = [CONTRACT, ...(isWhole ? GOLDENS : GOLDENS.slice(0, 1))];
const SHARE = isWhole ? {} : { GOLDENS: 'random-gpt-neo' };

/** On a machine that has it: `npm run bench:gpu -- --verify`. */
const CUDA = {
  extends: true as const,
  test: { name: 'cuda', include: [CONTRACT, ...GOLDENS], env: { RUNTIME: 'cuda', NVIDIA_TF32_OVERRIDE: '0' } },
};

export default defineConfig({
  resolve: { alias: { '@': fileURLToPath(new URL('.', import.meta.url)) } },
  test: {
    testTimeout: 60_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
    projects: [
      ...(process.env['CUDA'] === undefined ? [] : [CUDA]),
      { extends: true, test: { name: 'node', include: ALL, exclude: process.env['ATTACKS'] ? [] : [ATTACKS] } },
      // As graphs are on CUDA.
      { extends: true, test: { name: 'inside', include: [CONTRACT], env: { RUNTIME: 'cpu-inside' } } },
      { extends: true, test: { name: 'wasm', include: [...HELD, ...(isWhole ? [DICTIONARIES] : [])], env: { RUNTIME: 'wasm' } } },
      {
        extends: true,
        test: {
          name: 'webgpu',
          include: HELD,
          env: { RUNTIME: 'webgpu', ...SHARE },
          setupFiles: 'server/engine/in-browser/setup.ts',
          testTimeout: 240_000,
          hookTimeout: 240_000,
        },
      },
    ],
  },
});
