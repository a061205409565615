import type { AnalyzeRequest, Answer, ErrorCode } from '../engine/index.ts';
import type { TokenText } from '../wire.ts';
import type { WebProvider } from './web-runtime.ts';

/** Where a model comes from: its files at `base`, known by their hash. */
export interface ModelPlace {
  name: string;
  hash: string;
  base: string;
  /** where its sparse dictionaries are listed; each has its files below; absent = there are none to be had */
  dictionaries?: string;
}

/** What the worker can be asked, and what it gives back. */
export interface Calls {
  start: {
    argument: { provider: WebProvider | null; selfTest: string; /** why not WebGPU any more */ lost: string | null };
    result: Device;
  };
  analyze: { argument: { model: ModelPlace; request: AnalyzeRequest }; result: Answer };
  tokenize: { argument: { model: ModelPlace; text: string; special: boolean }; result: TokenText[] };
  searchTokens: { argument: { model: ModelPlace; query: string; limit: number }; result: TokenText[] };
}

export type CallName = keyof Calls;

/** What this browser computes with, and how well it did on numbers that are known. */
export interface Device {
  provider: WebProvider;
  /** of the adapter, or how many threads */
  detail: string;
  /** largest difference from known numbers, as a share of the largest of their table */
  error: number;
  /** why it is not WebGPU; null where it is */
  why: string | null;
}

export type ToWorker = { type: 'call'; id: number; name: CallName; argument: unknown } | { type: 'cancel'; id: number };

export type FromWorker =
  | { type: 'result'; id: number; result: unknown }
  | { type: 'progress'; id: number; done: number; total: number; what: string }
  | { type: 'error'; id: number; error: WireError }
  /** WebGPU is gone, or fails: whatever ran there has to run elsewhere */
  | { type: 'lost'; why: string }
  /** this worker cannot go on: whatever ran is lost */
  | { type: 'broken'; error: WireError };

export type WireError =
  | { kind: 'engine'; code: ErrorCode; where: string; expected: string; got: string }
  | { kind: 'other'; message: string };
