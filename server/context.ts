import type { AnalyzeRequest, Answer } from '../lib/engine/index.ts';
import type { ModelSummary, TokenText } from '../lib/wire.ts';

export interface AnalyzeOptions {
  signal?: AbortSignal;
  onProgress?: (progress: { done: number; total: number; what: string }) => void;
}

/** The engine in its worker thread. Throws EngineError for what the person can mend. */
export interface Engine {
  analyze(request: AnalyzeRequest, options?: AnalyzeOptions): Promise<Answer>;
  /** analyses that run and that wait for their turn */
  queue(): { running: number; waiting: number };
  close(): Promise<void>;
}

export interface Models {
  list(): Promise<ModelSummary[]>;
  tokenize(model: string, text: string, special?: boolean): Promise<TokenText[]>;
  searchTokens(model: string, query: string, limit: number): Promise<TokenText[]>;
}
