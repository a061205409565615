'use client';
import { forget, store, storeKey, stored, storedKeys } from '@/app/ui/browser-store.ts';
import type { OwnEdit } from './own-edits.ts';

interface Kept {
  /** of the document in which they were made */
  epoch: number | null;
  edits: OwnEdit[];
}

/**
 * The edits of one tab that the server has not stored, as this browser remembers them. Another tab may take them
 * over while this one lives; as each edit has an id, nothing is counted twice.
 */
export class UnsavedStore {
  readonly #key: string;

  constructor(
    private readonly personId: string,
    private readonly boardId: string,
    tab: number,
  ) {
    this.#key = storeKey('unsaved', personId, boardId, tab);
  }

  /** False where the browser did not keep them. */
  write(epoch: number | null, edits: OwnEdit[]): boolean {
    if (edits.length > 0) return store(this.#key, { epoch, edits } satisfies Kept);
    forget(this.#key);
    return true;
  }

  /** Takes over what tabs left that are gone: edits of this epoch, which the document's copy holds, and all others. */
  adopt(epoch: number | null): { current: OwnEdit[]; stale: OwnEdit[] } {
    const current = new Map<string, OwnEdit>();
    const stale = new Map<string, OwnEdit>();
    for (const key of storedKeys('unsaved', this.personId, this.boardId)) {
      const kept = stored<Kept>(key);
      const place = kept?.epoch === epoch && epoch !== null ? current : stale;
      for (const edit of kept?.edits ?? []) place.set(edit.id, edit);
      forget(key);
    }
    return { current: [...current.values()], stale: [...stale.values()] };
  }
}
