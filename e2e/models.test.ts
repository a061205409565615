import { test as base, type Page } from '@playwright/test';
import { readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Hub, refuseWith } from '../server/testing/hub.ts';
import { expect } from './actors.ts';
import { BoardPage } from './board-page.ts';
import { inspect } from './inspect.ts';
import { PathboardServer } from './server.ts';

const FIXTURES = fileURLToPath(new URL('../server/engine/fixtures/', import.meta.url));
const WEIGHTS = 'model.safetensors';
/** axe looks at three screens twice. */
base.setTimeout(240_000);

/** A server that takes its models from a hub of ours. */
const test = base.extend<{ hub: Hub; server: PathboardServer; owner: Page }>({
  // oxlint-disable-next-line no-empty-pattern -- Playwright reads from the pattern which fixtures are needed
  hub: async ({}, use) => {
    const hub = await Hub.start();
    for (const file of ['config.json', WEIGHTS]) hub.files.set(file, await readFile(join(FIXTURES, 'random-gpt2', file)));
    await use(hub);
    await hub.stop();
  },
  server: async ({ hub }, use) => {
    const server = await PathboardServer.start({ HF_ENDPOINT: hub.url });
    await use(server);
    await server.stop();
  },
  owner: async ({ browser, server }, use) => {
    const context = await browser.newContext({ baseURL: server.url });
    const page = await context.newPage();
    page.on('pageerror', (error) => {
      throw error;
    });
    await page.goto(server.ownerLink);
    await page.goto('/models');
    await use(page);
    await context.close();
  },
});

/** Letters, one a token: fewer than the small model has. */
const TOKENIZER = {
  version: '1.0',
  truncation: null,
  padding: null,
  added_tokens: [],
  normalizer: null,
  pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
  post_processor: null,
  decoder: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
  model: {
    type: 'BPE',
    dropout: null,
    unk_token: null,
    continuing_subword_prefix: null,
    end_of_word_suffix: null,
    fuse_unk: false,
    byte_fallback: false,
    vocab: Object.fromEntries([...'abcdefghijklmnopqrstuvwxyzĠ'].map((letter, id) => [letter, id])),
    merges: [],
  },
};

const fileOf = (name: string, buffer: Buffer) => ({ name, mimeType: 'application/octet-stream', buffer });
const rowOf = (page: Page, name: string) => page.getByRole('row').filter({ has: page.getByRole('link', { name, exact: true }) });
const importOf = (page: Page, name: string) => page.locator(`[data-import="${name}"]`);

async function askFor(page: Page, from: string): Promise<void> {
  await page.getByLabel('Model', { exact: true }).fill(from);
  await page.getByRole('button', { name: 'Import', exact: true }).click();
}

test('a model is imported from the hub, cancelled, taken up after a restart, uploaded, asked and deleted', async ({
  hub,
  server,
  owner,
}) => {
  await test.step('a model that the hub keeps is told with the reason, and can be discarded', async () => {
    hub.replies.push(refuseWith(403, { 'x-error-code': 'GatedRepo' }));
    await askFor(owner, 'meta/gated');
    const row = importOf(owner, 'gated');
    await expect(row.getByRole('alert')).toContainText('got a gated model, no HF_TOKEN set');
    await inspect(owner, 'models-failed');
    await row.getByRole('button', { name: 'Discard: gated' }).click();
    await row.getByRole('button', { name: 'Discard', exact: true }).click();
    await expect(row).toHaveCount(0);
  });

  await test.step('an import is watched and cancelled, and keeps what came', async () => {
    hub.pause = 500;
    hub.replies.push(hub.whole, hub.slowly);
    await askFor(owner, 'org/tiny@main');
    const row = importOf(owner, 'tiny');
    await expect(row.getByRole('status')).toContainText(`fetching ${WEIGHTS}`);
    await expect(row.getByRole('progressbar')).toHaveAttribute('value', /^0\.\d+$/);
    await row.getByRole('button', { name: 'Cancel' }).click();
    await expect(row).toContainText(/Stopped\. [\d.]+ kB are kept\./);
    await expect(rowOf(owner, 'tiny')).toHaveCount(0);
  });

  await test.step('it goes on where it was, after the server was killed, too', async () => {
    await server.kill();
    await server.restart();
    await owner.goto('/models');
    hub.asked.length = 0;
    await owner.getByRole('button', { name: 'Go on: tiny' }).click();
    await expect(importOf(owner, 'tiny')).toContainText('Imported.');
    await expect(rowOf(owner, 'tiny')).toContainText('GPT-2');
    await expect(rowOf(owner, 'tiny')).toContainText('org/tiny');
    expect(hub.asked.find(({ url }) => url.endsWith(WEIGHTS))?.range).toMatch(/^bytes=[1-9]\d+-$/);
    await importOf(owner, 'tiny').getByRole('button', { name: 'Dismiss: tiny' }).click();
    await expect(importOf(owner, 'tiny')).toHaveCount(0);
  });

  await test.step('a model is uploaded; a pickle is not', async () => {
    await owner.getByLabel('From this computer').check();
    const files = owner.getByLabel('Choose files…', { exact: true });
    await files.setInputFiles([fileOf('pytorch_model.bin', Buffer.from('x'))]);
    await expect(owner.getByRole('alert').filter({ hasText: 'pytorch_model.bin is not sent: it could hold a program' })).toBeVisible();
    const model = ['config.json', WEIGHTS].map(async (name) => fileOf(name, await readFile(join(FIXTURES, 'random-llama', name))));
    await files.setInputFiles([...(await Promise.all(model)), fileOf('tokenizer.json', Buffer.from(JSON.stringify(TOKENIZER)))]);
    await expect(owner.getByText('3 files')).toBeVisible();
    await owner.getByLabel('Name here').fill('mine');
    await owner.getByRole('button', { name: 'Upload' }).click();
    await expect(importOf(owner, 'mine')).toContainText('Imported.');
    await expect(rowOf(owner, 'mine')).toContainText('Llama');
    await inspect(owner, 'models-imported');
  });

  await test.step('a board is about it', async () => {
    await owner.goto('/');
    await owner.getByLabel('Model', { exact: true }).selectOption('mine');
    await owner.getByLabel('Prompt').fill('abcab');
    await owner.getByRole('button', { name: 'Unravel' }).click();
    await new BoardPage(owner).isReady();
    await expect(owner.getByTestId('metric')).toBeVisible();
  });

  await test.step('its page says what it is and who needs it; it is deleted all the same', async () => {
    await owner.goto('/models');
    await expect(rowOf(owner, 'mine').getByRole('cell', { name: '1', exact: true })).toBeVisible();
    await owner.getByRole('region', { name: 'Models' }).getByRole('link', { name: 'mine', exact: true }).click();
    await expect(owner.getByRole('heading', { name: 'mine' })).toBeVisible();
    await expect(owner.getByRole('link', { name: 'abcab' })).toBeVisible();
    await inspect(owner, 'model');
    await owner.getByRole('button', { name: 'Delete model…' }).click();
    const dialog = owner.getByRole('dialog', { name: 'Delete mine?' });
    await expect(dialog).toContainText('1 board is about it.');
    await expect(dialog.getByRole('listitem')).toHaveText('abcab');
    await inspect(owner, 'model-delete');
    await dialog.getByRole('button', { name: 'Delete it all the same' }).click();
    await expect(owner).toHaveURL(/\/models$/);
    await expect(rowOf(owner, 'tiny')).toBeVisible();
    await expect(rowOf(owner, 'mine')).toHaveCount(0);
    await owner.goto('/models/attn-2l');
    await expect(owner.getByText('A built-in model is part of the installation and stays.')).toBeVisible();
    await expect(owner.getByRole('button', { name: 'Delete model…' })).toHaveCount(0);
  });
});

test('an upload goes on in another window once the same files are chosen there', async ({ owner }) => {
  const paths = ['config.json', WEIGHTS].map((file) => join(FIXTURES, 'random-llama-tied', file));
  const files = await Promise.all(
    paths.map(async (path) => {
      const { size, mtimeMs } = await stat(path);
      return { name: basename(path), bytes: size, modified: Math.floor(mtimeMs) };
    }),
  );
  // As a window that was closed before it had sent a byte.
  await owner.evaluate(
    (body) => fetch('/api/imports', { method: 'POST', headers: { 'content-type': 'application/json' }, body }).then(() => {}),
    JSON.stringify({ kind: 'upload', name: 'left', files }),
  );
  await owner.reload();
  const row = importOf(owner, 'left');
  await expect(row).toContainText('sent from another window');
  await row.getByRole('button', { name: 'Cancel' }).click();
  const input = row.locator('input[type=file]');
  await input.setInputFiles([fileOf('config.json', Buffer.from('{}'))]);
  await expect(row.getByRole('alert')).toContainText('expected the config.json that this upload began with');
  await input.setInputFiles(paths);
  await expect(row).toContainText('Imported.');
  await expect(rowOf(owner, 'left')).toContainText('Llama');
});
