import { parentPort, workerData } from 'node:worker_threads';
import * as Y from 'yjs';

/** Applies updates one after the other and answers with the document as one update, proven to load; null where it does not. */
parentPort.postMessage(merge(workerData));

function merge(updates) {
  try {
    const doc = new Y.Doc();
    for (const update of updates) Y.applyUpdate(doc, update);
    const merged = Y.encodeStateAsUpdate(doc);
    const copy = new Y.Doc();
    Y.applyUpdate(copy, merged);
    const isWhole = [doc, copy].every(({ store }) => store.pendingStructs === null && store.pendingDs === null);
    return isWhole && Y.equalSnapshots(Y.snapshot(copy), Y.snapshot(doc)) ? merged : null;
  } catch {
    return null;
  }
}
