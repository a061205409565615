import type * as Y from 'yjs';
import { BOARD_MAPS, EDIT } from './board-doc.ts';
import { isEqual } from './json.ts';

/** What a board document holds: map by map, key by key, plain JSON values. */
export type Content = Record<string, Record<string, unknown>>;

export function contentOf(doc: Y.Doc): Content {
  return Object.fromEntries(BOARD_MAPS.map((name) => [name, Object.fromEntries(doc.getMap(name).entries())]));
}

/**
 * Makes the document hold `content` and nothing else, as one edit of one's own that an undo manager takes back as
 * one. What is equal already stays untouched, so that others' edits of it are not overwritten.
 */
export function restoreContent(doc: Y.Doc, content: Content): void {
  doc.transact(() => {
    for (const name of BOARD_MAPS) {
      const map = doc.getMap(name);
      const wanted = new Map(Object.entries(content[name] ?? {}));
      for (const key of map.keys()) if (!wanted.has(key)) map.delete(key);
      for (const [key, value] of wanted) if (!map.has(key) || !isEqual(map.get(key), value)) map.set(key, value);
    }
  }, EDIT);
}
