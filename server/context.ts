import type { AnalyzeRequest, Answer } from '../lib/engine/index.ts';
import type { DictionarySummary, ModelSummary, TokenText, WorkerSummary } from '../lib/wire.ts';

export interface AnalyzeOptions {
  signal?: AbortSignal;
  onProgress?: (progress: { done: number; total: number; what: string }) => void;
  /** who asks: jobs that wait go round between people */
  person?: string;
  /** `batch` where nobody sits and waits; a prompt set is one unless said otherwise */
  urgency?: 'interactive' | 'batch';
  /** computes anew, whatever is being computed or known already */
  fresh?: boolean;
}

/**
 * Analyses as jobs: asked, taken in turn, told how far they are, stopped by the signal, answered. In this process or on
 * any machine with the same database. Throws EngineError for what the person can mend.
 */
export interface Engine {
  analyze(request: AnalyzeRequest, options?: AnalyzeOptions): Promise<Answer>;
  /** analyses asked of this process that run and that wait for their turn */
  queue(): { running: number; waiting: number };
  /** who computes */
  workers(): Promise<WorkerSummary[]>;
  close(): Promise<void>;
}

export interface Models {
  list(): Promise<ModelSummary[]>;
  tokenize(model: string, text: string, special?: boolean): Promise<TokenText[]>;
  searchTokens(model: string, query: string, limit: number): Promise<TokenText[]>;
  /** The model of this hash, its files read and hashed as they are now; null where none is installed. */
  filesOf(hash: string): Promise<ModelFiles | null>;
  /** The sparse dictionaries of a model, by layer. */
  dictionaries(model: string): Promise<DictionarySummary[]>;
  /** The dictionary of this hash; null where none is installed. */
  dictionaryFiles(hash: string): Promise<ModelFiles | null>;
}

export interface ModelFiles {
  name: string;
  folder: string;
  files: { name: string; bytes: number }[];
}
