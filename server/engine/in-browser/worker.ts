import * as ort from 'onnxruntime-web/webgpu';
import { EngineError, floatsOf, isEngineError, type ErrorCode, type StoredTensor } from '../../../lib/engine/index.ts';
import type { Runtime, Session, Tensor } from '../../../lib/engine/runtime.ts';
import { createWebRuntime } from '../../../lib/worker/web-runtime.ts';
import { readFrame, writeFrame, type Part, type ReadPart } from './frames.ts';

/** The browser's runtime in a worker of a page, as the tests ask it over a socket. */

export type Ask =
  | { type: 'open'; id: number; session: number; folder: string; name: string; weights: [string, StoredTensor][] }
  | { type: 'run'; id: number; session: number }
  | { type: 'close'; id: number; session: number };

export type Say =
  | { type: 'ready' }
  | { type: 'done'; id: number }
  | { type: 'failed'; id: number; code: ErrorCode; where: string; expected: string; got: string };

ort.env.wasm.wasmPaths = '/ort/';
ort.env.wasm.numThreads = 1;

const runtimes = new Map<string, Runtime>();
const sessions = new Map<number, Promise<Session>>();

function runtimeIn(folder: string): Runtime {
  const known = runtimes.get(folder);
  if (known) return known;
  const read = async (stored: StoredTensor): Promise<Float32Array> => {
    const { location, offset, length, dtype } = stored;
    const answer = await fetch(`/weights?${new URLSearchParams({ folder, location, offset: String(offset), length: String(length) })}`);
    const bytes = await answer.arrayBuffer();
    if (bytes.byteLength !== length) {
      throw new EngineError('bad-weights', location, `${length} bytes from byte ${offset}`, String(bytes.byteLength));
    }
    return floatsOf(bytes, dtype);
  };
  const runtime = createWebRuntime(ort, { read }, 'webgpu');
  runtimes.set(folder, runtime);
  return runtime;
}

async function answer(ask: Ask, parts: ReadPart[]): Promise<(Part & { data: ArrayBufferView })[]> {
  switch (ask.type) {
    case 'open': {
      const bytes = parts[0]!.data as Uint8Array<ArrayBuffer>;
      const session = runtimeIn(ask.folder).open({ name: ask.name, bytes, weights: new Map(ask.weights) });
      sessions.set(ask.session, session);
      session.catch(() => sessions.delete(ask.session));
      await session;
      return [];
    }
    case 'run': {
      const feeds = Object.fromEntries(parts.map(({ name, dims, data }): [string, Tensor] => [name, { dims, data: data as Float32Array }]));
      const outputs = await (await sessions.get(ask.session)!).run(feeds);
      return Object.entries(outputs).map(([name, { dims, data }]) => ({ name, dtype: 'float32', dims, data }));
    }
    case 'close':
      await (await sessions.get(ask.session))?.close();
      return [];
  }
}

const socket = new WebSocket(`ws://${globalThis.location.host}/`);
socket.binaryType = 'arraybuffer';
const say = (says: Say, parts: (Part & { data: ArrayBufferView })[] = []) => socket.send(writeFrame(says, parts));
socket.addEventListener('open', () => say({ type: 'ready' }));
socket.addEventListener('message', ({ data }: MessageEvent<ArrayBuffer>) => {
  const { says: ask, parts } = readFrame<Ask>(data);
  answer(ask, parts).then(
    (outputs) => say({ type: 'done', id: ask.id }, outputs),
    (error: unknown) => {
      const { code, where, expected, got } = isEngineError(error)
        ? error
        : new EngineError('runtime', 'page', 'no other error', String(error));
      say({ type: 'failed', id: ask.id, code, where, expected, got });
    },
  );
});
