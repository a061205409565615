'use client';
import { useCallback, useRef, useSyncExternalStore } from 'react';
import type * as Y from 'yjs';

/**
 * What `read` makes of the document, kept up to date. `read` must be the same function at every render;
 * it runs once for each change of the document, not once for each render.
 */
export function useLive<T>(doc: Y.Doc, read: (doc: Y.Doc) => T): T {
  const cache = useRef<{ doc: Y.Doc; read: (doc: Y.Doc) => T; value: T } | null>(null);

  const subscribe = useCallback(
    (onChange: () => void) => {
      const changed = () => {
        cache.current = null;
        onChange();
      };
      doc.on('update', changed);
      return () => doc.off('update', changed);
    },
    [doc],
  );

  const snapshot = () => {
    const known = cache.current;
    if (known && known.doc === doc && known.read === read) return known.value;
    const value = read(doc);
    cache.current = { doc, read, value };
    return value;
  };

  return useSyncExternalStore(subscribe, snapshot, snapshot);
}
