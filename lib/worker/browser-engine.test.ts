import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { BrowserEngine } from './browser-engine.ts';
import type { Device, FromWorker, ToWorker } from './messages.ts';

/** As far as the engine's page side knows one: what it was sent, and what it can be made to say. */
class FakeWorker extends EventTarget {
  static all: FakeWorker[] = [];
  readonly asked: Extract<ToWorker, { type: 'call' }>[] = [];
  terminated = false;

  constructor() {
    super();
    FakeWorker.all.push(this);
  }

  postMessage(message: ToWorker): void {
    if (message.type !== 'call') return;
    this.asked.push(message);
    if (message.name !== 'start') return;
    const { provider, lost } = message.argument as { provider: 'wasm' | null; lost: string | null };
    const device: Device = { provider: provider ?? 'webgpu', detail: '', error: 1e-6, why: lost };
    queueMicrotask(() => this.says({ type: 'result', id: message.id, result: device }));
  }

  says(data: FromWorker): void {
    this.dispatchEvent(new MessageEvent('message', { data }));
  }

  ends(message: string): void {
    this.dispatchEvent(Object.assign(new Event('error', { cancelable: true }), { message }));
  }

  terminate(): void {
    this.terminated = true;
  }

  /** the calls that came, `start` aside */
  get calls() {
    return this.asked.filter(({ name }) => name !== 'start');
  }
}

const model = { name: 'm', hash: 'h', base: '/m' };
const onLost = vi.fn<(why: string, device: Device) => void>();
const onBroken = vi.fn<(why: string) => void>();
let engine: BrowserEngine;

beforeEach(() => {
  FakeWorker.all = [];
  vi.stubGlobal('Worker', FakeWorker);
  onLost.mockClear();
  onBroken.mockClear();
  engine = new BrowserEngine({ selfTest: '/self-test', provider: null, onLost, onBroken });
});
afterEach(() => void vi.unstubAllGlobals());

const tokenize = (text: string, signal?: AbortSignal) =>
  engine.call('tokenize', { model, text, special: true }, signal === undefined ? {} : { signal });
const started = (count: number) => vi.waitFor(() => expect(FakeWorker.all.at(-1)!.calls).toHaveLength(count));

it('does on the CPU what was under way when WebGPU is lost, and says why', async () => {
  const [one, two] = [tokenize('one'), tokenize('two')];
  await started(2);
  const [first] = FakeWorker.all as [FakeWorker];
  expect(await engine.device()).toMatchObject({ provider: 'webgpu' });
  first.says({ type: 'lost', why: 'the driver was reset' });
  await vi.waitFor(() => expect(FakeWorker.all).toHaveLength(2));
  await started(2);
  expect(first.terminated).toBe(true);
  const second = FakeWorker.all[1]!;
  expect(second.calls).toEqual(first.calls);
  // What the first one still says does not count any more.
  first.says({ type: 'result', id: first.calls[0]!.id, result: 'late' });
  for (const { id } of second.calls) second.says({ type: 'result', id, result: [{ id, text: '' }] });
  expect(await Promise.all([one, two])).toEqual(second.calls.map(({ id }) => [{ id, text: '' }]));
  const wasm = { provider: 'wasm', why: 'the driver was reset' };
  expect(onLost).toHaveBeenCalledExactlyOnceWith('the driver was reset', expect.objectContaining(wasm));
  expect(await engine.device()).toMatchObject(wasm);
});

it('does not repeat what was cancelled meanwhile', async () => {
  const abort = new AbortController();
  const call = tokenize('one', abort.signal);
  await started(1);
  abort.abort();
  FakeWorker.all[0]!.says({ type: 'lost', why: 'gone' });
  await expect(call).rejects.toMatchObject({ code: 'cancelled' });
  expect(FakeWorker.all[1]!.calls).toEqual([]);
});

it('says that its worker ended, and starts another one for the next call', async () => {
  const call = tokenize('one');
  await started(1);
  FakeWorker.all[0]!.ends('out of luck');
  await expect(call).rejects.toThrow('engine in this browser: expected a worker that answers, got out of luck');
  expect(onBroken).toHaveBeenCalledExactlyOnceWith(expect.stringContaining('out of luck'));
  const next = tokenize('two');
  await vi.waitFor(() => expect(FakeWorker.all).toHaveLength(2));
  await started(1);
  const { id } = FakeWorker.all[1]!.calls[0]!;
  FakeWorker.all[1]!.says({ type: 'result', id, result: [] });
  expect(await next).toEqual([]);
});

it('ends a worker that has no memory left with its reason', async () => {
  const call = tokenize('one');
  await started(1);
  const error = { kind: 'engine', code: 'runtime', where: 'graph clean', expected: 'memory enough', got: 'std::bad_alloc' } as const;
  FakeWorker.all[0]!.says({ type: 'broken', error });
  await expect(call).rejects.toThrow('graph clean: expected memory enough, got std::bad_alloc');
  expect(FakeWorker.all[0]!.terminated).toBe(true);
});
