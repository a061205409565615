import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const ALL = ['app', 'lib', 'server', 'db', 'bench'].map((folder) => `${folder}/**/*.test.ts`);
// They take minutes: `npm run attacks`.
const ATTACKS = 'server/attacks/{documents,floods,fuzz,http,routes}.test.ts';
/** Held to the same numbers by the runtime that browsers have. All of them: `npm run test:wasm`. */
const GOLDENS = process.env['ALL_WASM']
  ? ['server/engine/goldens.test.ts', 'server/engine/views-*.test.ts']
  : ['server/engine/goldens.test.ts'];

export default defineConfig({
  resolve: { alias: { '@': fileURLToPath(new URL('.', import.meta.url)) } },
  test: {
    testTimeout: 60_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
    projects: [
      { extends: true, test: { name: 'node', include: ALL, exclude: process.env['ATTACKS'] ? [] : [ATTACKS] } },
      { extends: true, test: { name: 'wasm', include: GOLDENS, env: { RUNTIME: 'wasm' } } },
    ],
  },
});
