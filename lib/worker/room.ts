import { EngineError } from '../engine/index.ts';
import type { WebProvider } from './web-runtime.ts';

/** What a tab may take, in bytes. */
export interface Room {
  provider: WebProvider;
  /** of the machine, as far as the browser says (8 GiB at most); null where it does not */
  memory: number | null;
  /** the largest buffer that the device binds; null on WASM */
  buffer: number | null;
}

const GIB = 1024 ** 3;
/** WASM addresses 4 GiB; weights are copied there for each run, and what runs needs its share beside them. 3.27 GiB were seen to work. */
const WASM_WEIGHTS = 3 * GIB;
/** The files, the weights as float32, and where they are computed with. */
const COPIES = 3;

/**
 * Refuses what cannot fit before it is loaded or opened.
 * @param bytes of a model's weights as float32, or a lower bound
 * @param largest of one tensor; 0 where it is not known yet
 * @throws EngineError `unsupported` with the figures
 */
export function checkRoom(name: string, bytes: number, largest: number, { provider, memory, buffer }: Room): void {
  const most = Math.min(provider === 'wasm' ? WASM_WEIGHTS : Infinity, memory === null ? Infinity : memory / COPIES);
  if (bytes > most) {
    const where = `model ${name}: weights in this browser`;
    throw new EngineError(
      'unsupported',
      where,
      `at most ${gib(most)} on ${provider} in this tab`,
      `${gib(bytes)}; the server can compute it`,
    );
  }
  if (buffer !== null && largest > buffer) {
    const where = `model ${name}: largest tensor in this browser`;
    throw new EngineError(
      'unsupported',
      where,
      `at most ${gib(buffer)}, as WebGPU here binds`,
      `${gib(largest)}; the server can compute it`,
    );
  }
}

const gib = (bytes: number) => `${(bytes / GIB).toFixed(2)} GiB`;
