/** How far an import is. */
export interface ImportProgress {
  /** files come from the hub or from a folder, are hashed, or are read as a model */
  stage: 'fetch' | 'copy' | 'check';
  file: string | null;
  /** bytes of weights and all else, over all files; `total` is null until it is known */
  done: number;
  total: number | null;
}

export type OnProgress = (progress: ImportProgress) => void;

/** What can be watched and stopped. */
export interface ImportControl {
  signal?: AbortSignal | undefined;
  onProgress?: OnProgress | undefined;
}
