import type { AnalyzeRequest, Answer, ErrorCode } from '../../lib/engine/index.ts';
import type { DictionarySummary, ModelSummary, TokenText } from '../../lib/wire.ts';
import type { ServerDevice } from './device.ts';
import type { WantedDevice } from './wanted-device.ts';
import type { ModelFiles } from '../context.ts';

/** What a worker can be asked, and what it gives back. */
export interface Calls {
  analyze: { argument: AnalyzeRequest; result: Answer };
  tokenize: { argument: { model: string; text: string; special: boolean }; result: TokenText[] };
  searchTokens: { argument: { model: string; query: string; limit: number }; result: TokenText[] };
  listModels: { argument: null; result: ModelSummary[] };
  device: { argument: null; result: ServerDevice };
  filesOf: { argument: { hash: string }; result: ModelFiles | null };
  dictionaries: { argument: { model: string }; result: DictionarySummary[] };
  dictionaryFiles: { argument: { hash: string }; result: ModelFiles | null };
}

export type CallName = keyof Calls;

export interface WorkerData {
  home: string;
  threads: number;
  wanted: WantedDevice;
  /** gives way to the server's own thread */
  inBackground: boolean;
}

export type ToWorker = { type: 'call'; id: number; name: CallName; argument: unknown } | { type: 'cancel'; id: number };

export type FromWorker =
  | { type: 'result'; id: number; result: unknown }
  | { type: 'progress'; id: number; done: number; total: number; what: string }
  | { type: 'error'; id: number; error: WireError };

/** An error as it crosses threads: EngineErrors keep their parts. */
export type WireError =
  | { kind: 'engine'; code: ErrorCode; where: string; expected: string; got: string }
  | { kind: 'other'; message: string; stack: string | undefined };
