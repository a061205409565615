import { parseArgs } from 'node:util';
import { chromium, type Browser, type Page } from '@playwright/test';
import { findBrowser } from '../../e2e/browser.mjs';
import { describeMachine, type Machine } from '../machine.ts';
import { recordFrames, type Frames } from './frames.ts';
import { countScripts, type Sent } from './scripts.ts';
import { LARGE, WIDE, build, startSite, type Site } from './site.ts';

/** `npm run bench:ui [-- --quick] [--json] [--headed] [--built]`: frames, seconds and bytes of the board in a real browser. */

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    headed: { type: 'boolean', default: false },
    built: { type: 'boolean', default: false },
  },
});

const AIM = { frame: 16.7, script: 250 * 1024, partition: 10_000 } as const;
const VIEWPORT = { width: 1440, height: 900 };
const SECONDS = values.quick ? 4 : 10;
const ROWS = 100_000;
const EDGES = 10_000;
/** Forty tokens or so. */
const PROMPT =
  'In June old Darcy went to Texas. In July old Crawford went to London, and in August the young man went to Paris with old Darcy';
const OPEN_MS = 240_000;

interface Measured {
  name: string;
  paced: Frames;
  unpaced: Frames;
  size: number;
}

interface Report {
  machine: Machine;
  browser: string;
  frames: Measured[];
  /** milliseconds, of servers that had just started */
  partition: number[];
  board: Sent;
  published: Sent & { needed: number };
}

function tell(what: string): void {
  process.stderr.write(`${new Date().toTimeString().slice(0, 8)} ${what}\n`);
}

function openBrowser(paced: boolean): Promise<Browser> {
  const found = findBrowser();
  if (!found) throw new Error('browser: expected Chromium, got none (node e2e/browser.mjs installs one)');
  const unpaced = paced ? [] : ['--disable-frame-rate-limit', '--disable-gpu-vsync'];
  return chromium.launch({ ...found, headless: !values.headed, args: [...found.args, '--disable-gpu', ...unpaced] });
}

/** A signed-in page, and the state that signs in further ones. */
async function signIn(browser: Browser, site: Site): Promise<Page> {
  const context = await browser.newContext({ viewport: VIEWPORT, baseURL: site.url });
  const page = await context.newPage();
  await page.goto(site.link);
  await page.getByRole('button', { name: 'Unravel' }).waitFor();
  return page;
}

async function post<T>(page: Page, path: string, body: unknown): Promise<T> {
  const response = await page.request.post(path, { data: body, headers: { origin: new URL(page.url()).origin } });
  if (!response.ok()) throw new Error(`POST ${path}: expected success, got ${response.status()} ${await response.text()}`);
  return (await response.json()) as T;
}

async function newBoard(page: Page, prompt: string, model: string): Promise<string> {
  const setup = { model, prompt, counterfactual: null, position: null, target: null, foil: null };
  return (await post<{ id: string }>(page, '/api/boards', { title: 'Bench', setup })).id;
}

async function panGraph(page: Page, board: string): Promise<{ frames: Frames; size: number }> {
  await page.goto(`/boards/${board}?view=graph&graph.least=0&graph.by=token`);
  const stage = page.getByTestId('graph-stage');
  await page.locator('[data-testid=graph-stage][data-drawn]').waitFor({ timeout: 60_000 });
  const size = Number(await stage.getAttribute('data-drawn'));
  const box = (await stage.boundingBox())!;
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  await page.mouse.move(x, y);
  for (let i = 0; i < 4; i++) await page.mouse.wheel(0, -250);
  await page.waitForTimeout(2500);
  await page.mouse.down();
  const frames = await recordFrames(page, async () => {
    const ends = Date.now() + SECONDS * 1000;
    for (let angle = 0; Date.now() < ends; angle += 0.06) {
      await page.mouse.move(x + 0.4 * box.width * Math.sin(angle), y + 0.35 * box.height * Math.sin(1.7 * angle));
    }
  });
  await page.mouse.up();
  return { frames, size };
}

/** Every suffix of a head of the last layer, and below each those of every earlier head, with their smaller terms shown. */
function wideOpen(): string {
  const heads = Array.from({ length: WIDE.heads }, (_, head) => head);
  const earlier = Array.from({ length: WIDE.layers - 1 }, (_, layer) => heads.map((head) => `a${layer}-${head}U`)).flat();
  return `U${heads.map((head) => `a${WIDE.layers - 1}-${head}U*${earlier.join('')}.`).join('')}`;
}

async function scrollTrie(page: Page, board: string): Promise<{ frames: Frames; size: number }> {
  const started = Date.now();
  await page.goto(`/boards/${board}#${new URLSearchParams({ 'unravel.open': wideOpen() })}`);
  await page.getByTestId('metric').waitFor({ timeout: 60_000 });
  const grid = page.getByRole('treegrid');
  const rows = async () => Number(await grid.getAttribute('aria-rowcount'));
  while ((await rows()) < ROWS) {
    if (Date.now() - started > OPEN_MS) throw new Error(`trie: expected ${ROWS} rows, got ${await rows()} after ${OPEN_MS} ms`);
    await page.waitForTimeout(500);
  }
  await page.waitForTimeout(1500);
  tell(`  ${await rows()} rows opened in ${((Date.now() - started) / 1000).toFixed(0)} s`);
  const box = (await grid.boundingBox())!;
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  const frames = await recordFrames(page, async () => {
    const ends = Date.now() + SECONDS * 1000;
    for (let turn = 0; Date.now() < ends; turn++) await page.mouse.wheel(0, turn % 400 < 300 ? 180 : -400);
  });
  return { frames, size: await rows() };
}

async function measureFrames(site: Site): Promise<Measured[]> {
  const found: Record<string, Partial<Measured>> = { 'panning the graph': {}, 'scrolling the trie': {} };
  let link: string | null = null;
  let state: Awaited<ReturnType<ReturnType<Page['context']>['storageState']>> | null = null;
  for (const pace of ['paced', 'unpaced'] as const) {
    const browser = await openBrowser(pace === 'paced');
    try {
      const page: Page = state
        ? await (await browser.newContext({ viewport: VIEWPORT, baseURL: site.url, storageState: state })).newPage()
        : await signIn(browser, site);
      state ??= await page.context().storageState();
      link ??= await newBoard(page, PROMPT, LARGE);
      tell(`panning the graph, ${pace}`);
      const graph = await panGraph(page, link);
      tell(`  ${graph.size} edges: ${JSON.stringify(graph.frames)}`);
      Object.assign(found['panning the graph']!, { [pace]: graph.frames, size: graph.size });
      tell(`scrolling the trie, ${pace}`);
      const trie = await scrollTrie(page, await newBoard(page, PROMPT, WIDE.name));
      tell(`  ${trie.size} rows: ${JSON.stringify(trie.frames)}`);
      Object.assign(found['scrolling the trie']!, { [pace]: trie.frames, size: trie.size });
    } finally {
      await browser.close();
    }
  }
  return Object.entries(found).map(([name, measured]) => ({ name, ...(measured as Omit<Measured, 'name'>) }));
}

/** From a click on the start page to the first partition; and what the board is sent until then. */
async function measureStart(): Promise<{ ms: number; sent: Sent; published: Report['published'] }> {
  const site = await startSite({ withLarge: false });
  const browser = await openBrowser(true);
  try {
    const page = await signIn(browser, site);
    const started = Date.now();
    await page.getByRole('button', { name: 'Unravel' }).click();
    await page.getByTestId('totals').waitFor({ timeout: 60_000 });
    const ms = Date.now() - started;
    const board = page.url();
    const context = await browser.newContext({ viewport: VIEWPORT, baseURL: site.url, storageState: await page.context().storageState() });
    const fresh = await context.newPage();
    const count = countScripts(fresh);
    await fresh.goto(board);
    await fresh.getByTestId('totals').waitFor();
    const sent = await count();
    return { ms, sent, published: await measurePublished(fresh, new URL(board).pathname.split('/')[2]!) };
  } finally {
    await browser.close();
    await site.stop();
  }
}

async function measurePublished(page: Page, boardId: string): Promise<Report['published']> {
  const made = await post<{ url: string }>(page, `/api/boards/${boardId}/publish`, {
    title: 'Bench',
    question: 'What does it weigh?',
    findings: 'It reads without script.',
    threads: false,
  });
  const reader = await page.context().browser()!.newContext();
  const open = await reader.newPage();
  const count = countScripts(open);
  await open.goto(new URL(made.url, page.url()).href);
  await open.waitForTimeout(500);
  const sent = await count();
  const without = await page.context().browser()!.newContext({ javaScriptEnabled: false });
  const plain = await without.newPage();
  await plain.goto(new URL(made.url, page.url()).href);
  const isWhole = (await plain.locator('h1').count()) === 1 && (await plain.getByText('It reads without script.').isVisible());
  return { ...sent, needed: isWhole ? 0 : sent.gzip };
}

function print({ machine, browser, frames, partition, board, published }: Report): void {
  console.log(`${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.os}`);
  console.log(`Node ${machine.node}, ${browser}, no GPU, ${VIEWPORT.width} × ${VIEWPORT.height}\n`);
  const row = (cells: readonly string[]) =>
    console.log(cells.map((cell, index) => (index === 0 ? cell.padEnd(44) : cell.padStart(9))).join(''));
  row(['ms between frames', 'p50', 'p95', 'p99', 'max', 'frames', 'late', 'aim p95']);
  for (const { name, paced, unpaced, size } of frames) {
    const what = name.includes('graph') ? `${size} edges` : `${size} rows`;
    const cells = ({ p50, p95, p99, max, count, late }: Frames) => [
      ...[p50, p95, p99, max].map((value) => value.toFixed(1)),
      String(count),
      String(late),
    ];
    row([`${name}, ${what}, at 60 Hz`, ...cells(paced), '']);
    row([`${name}, ${what}, unpaced`, ...cells(unpaced), `< ${AIM.frame}`]);
  }
  console.log('');
  console.log(
    `first partition, server just started: ${partition.map((ms) => (ms / 1000).toFixed(1)).join(', ')} s (aim < ${AIM.partition / 1000})`,
  );
  console.log(`script of the board: ${(board.gzip / 1024).toFixed(0)} KB gzip in ${board.files} files (aim ≤ ${AIM.script / 1024})`);
  console.log(`script of a published page: ${(published.gzip / 1024).toFixed(0)} KB gzip sent, ${published.needed} needed (aim 0)`);
}

if (!values.built) {
  tell('building');
  await build();
}
const starts: Awaited<ReturnType<typeof measureStart>>[] = [];
for (let i = 0; i < (values.quick ? 1 : 3); i++) {
  tell('starting cold');
  starts.push(await measureStart());
  tell(`  ${JSON.stringify(starts.at(-1))}`);
}
const site = await startSite({ withLarge: true });
let frames: Measured[];
try {
  frames = await measureFrames(site);
} finally {
  await site.stop();
}
const version = await openBrowser(true);
const report: Report = {
  machine: await describeMachine(),
  browser: `Chromium ${version.version()}`,
  frames,
  partition: starts.map(({ ms }) => ms),
  board: starts[0]!.sent,
  published: starts[0]!.published,
};
await version.close();
if (values.json) console.log(JSON.stringify(report, null, 1));
else print(report);
for (const { name, size } of frames) {
  const least = name.includes('graph') ? EDGES : ROWS;
  if (size < least) throw new Error(`${name}: expected ${least}, got ${size}`);
}
