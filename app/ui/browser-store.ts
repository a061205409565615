'use client';

/**
 * What this browser keeps of boards for one person, by board. Keys are `pathboard.KIND.PERSON.BOARD[.TAB]`:
 *   copy      the epoch of the document's copy in IndexedDB
 *   unsaved   edits of one tab that the server has not stored yet
 *   labels    labels of an annotation session, by its id, that the server has not yet, and what is being written
 *   aside     edits that cannot be sent any more, kept until somebody drops them
 */
export type StoreKind = 'copy' | 'unsaved' | 'labels' | 'aside';

export function storeKey(kind: StoreKind, personId: string, boardId: string, tab?: number): string {
  return ['pathboard', kind, personId, boardId, ...(tab === undefined ? [] : [tab])].join('.');
}

/** Every key of a kind that this browser keeps for a person, on one board or on all. */
export function storedKeys(kind: StoreKind, personId: string, boardId?: string): string[] {
  const start = `pathboard.${kind}.${personId}.`;
  const keys = Array.from({ length: localStorage.length }, (_, index) => localStorage.key(index) ?? '');
  return keys.filter((key) => key.startsWith(start) && (boardId === undefined || boardOf(key) === boardId));
}

export function boardOf(key: string): string {
  return key.split('.')[3] ?? '';
}

/** False where the browser has no room, or none for us. */
export function store(key: string, value: unknown): boolean {
  try {
    localStorage.setItem(key, JSON.stringify(value));
    return true;
  } catch {
    return false;
  }
}

/** Null for what is not there. Only this program writes these keys. */
export function stored<T>(key: string): T | null {
  const text = localStorage.getItem(key);
  return text === null ? null : (JSON.parse(text) as T);
}

export function forget(key: string): void {
  localStorage.removeItem(key);
}

export function databaseName(personId: string, boardId: string, epoch: number): string {
  return `pathboard/${personId}/${boardId}/${epoch}`;
}

/** How many edits would be lost if this browser forgot the person now. */
export function countUnsent(personId: string): number {
  const unsaved = storedKeys('unsaved', personId).flatMap((key) => stored<{ edits: unknown[] }>(key)?.edits ?? []);
  const aside = storedKeys('aside', personId).flatMap((key) => stored<unknown[]>(key) ?? []);
  const labels = storedKeys('labels', personId).flatMap((key) => stored<{ entries: unknown[] }>(key)?.entries ?? []);
  return unsaved.length + aside.length + labels.length;
}

/** Removes everything that this browser keeps of boards for a person. */
export function forgetPerson(personId: string): void {
  for (const key of storedKeys('copy', personId)) {
    const epoch = stored<number>(key);
    if (epoch !== null) indexedDB.deleteDatabase(databaseName(personId, boardOf(key), epoch));
    forget(key);
  }
  for (const kind of ['unsaved', 'labels', 'aside'] as const) for (const key of storedKeys(kind, personId)) forget(key);
}
