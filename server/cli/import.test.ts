import { spawn } from 'node:child_process';
import { readFile, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FIXTURES } from '../engine/testing.ts';
import { newHome } from '../testing/home.ts';
import { Hub, refuseWith } from '../testing/hub.ts';
import { ROOT } from './options.ts';

const WEIGHTS = 'model.safetensors';

let home: string;
let hub: Hub;

beforeAll(async () => {
  home = await newHome();
  hub = await Hub.start();
  for (const file of ['config.json', WEIGHTS]) hub.files.set(file, await readFile(join(FIXTURES, 'random-gpt2', file)));
});
afterAll(async () => {
  await hub.stop();
  await rm(home, { recursive: true });
});

interface Outcome {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** `pathboard …`, interrupted as by Ctrl-C once `when` is so. */
function pathboard(args: string[], when: (() => boolean) | null = null): Promise<Outcome> {
  return new Promise((resolve) => {
    const env = { ...process.env, PATHBOARD_HOME: home, HF_ENDPOINT: hub.url, HF_TOKEN: '' };
    const child = spawn(process.execPath, ['--import', 'tsx', 'server/cli.ts', ...args], { cwd: ROOT, env });
    const outcome: Outcome = { code: null, stdout: '', stderr: '' };
    child.stdout.on('data', (chunk: Buffer) => (outcome.stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (outcome.stderr += chunk.toString()));
    const timer = setInterval(() => when?.() && child.kill('SIGINT'), 50);
    child.on('close', (code) => {
      clearInterval(timer);
      resolve({ ...outcome, code });
    });
  });
}

test('an import from the hub is interrupted, keeps what came, and goes on with the same command', async () => {
  let sent = 0;
  hub.replies.push(hub.whole, (request, response, file) => {
    hub.slowly(request, response, file);
    const write = response.write.bind(response);
    response.write = ((piece: Buffer) => {
      sent += piece.length;
      return write(piece);
    }) as typeof response.write;
  });
  const first = await pathboard(['import', 'org/tiny@v1', '--json'], () => sent > 60_000);
  expect(first.code).toBe(2);
  expect(first.stderr).toBe('import: expected to finish, got an interrupt (what came is kept: the same command goes on)\n');
  expect(JSON.parse(first.stdout)).toMatchObject({ error: { code: 'cancelled' } });
  expect(await readdir(join(home, 'models')).catch(() => [])).toEqual([]);
  hub.asked.length = 0;
  const second = await pathboard(['import', 'org/tiny@v1', '--json']);
  expect(second).toMatchObject({ code: 0, stderr: '' });
  expect(JSON.parse(second.stdout)).toMatchObject({ name: 'tiny', source: { kind: 'hub', repository: 'org/tiny' } });
  expect(hub.asked[0]?.url).toBe('/org/tiny/resolve/v1/config.json');
  expect(hub.asked.find(({ url }) => url.endsWith(WEIGHTS))?.range).toMatch(/^bytes=[1-9]\d+-$/);
});

test('a model that the hub keeps, and a revision given twice, are refused in one line', async () => {
  hub.replies.push(refuseWith(401, { 'x-error-code': 'GatedRepo' }));
  const { code, stderr } = await pathboard(['import', 'meta/gated']);
  expect([code, stderr]).toEqual([
    2,
    'meta/gated@main: expected HF_TOKEN of somebody who has been given access (ask for it on the model’s page), got a gated model, no HF_TOKEN set\n',
  ]);
  expect((await pathboard(['import', 'org/tiny@v1', '--revision', 'v2'])).stderr).toContain('--revision: expected none beside org/tiny@v1');
});
