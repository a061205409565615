import * as Y from 'yjs';

/** Somebody's copy of a room's document. */
export interface Witness {
  who: string;
  doc: Y.Doc;
}

/** How the copies differ from the first: in content, state vector or deletions. A line each. */
export function disagreements([first, ...others]: Witness[]): string[] {
  if (!first) throw new Error('agreement: expected at least one copy');
  const content = contentOf(first.doc);
  const snapshot = Y.snapshot(first.doc);
  return others.flatMap(({ who, doc }) => {
    const theirs = Y.snapshot(doc);
    const differs: string[] = [];
    if (contentOf(doc) !== content) differs.push('content');
    if (!sameVector(theirs.sv, snapshot.sv)) differs.push('state vector');
    if (!Y.equalDeleteSets(theirs.ds, snapshot.ds)) differs.push('delete set');
    if (doc.store.pendingStructs || doc.store.pendingDs) differs.push('something waits for what is missing');
    return differs.length === 0 ? [] : [`${who} differs from ${first.who}: ${differs.join(', ')}`];
  });
}

/** Of every map, with its keys in order. */
export function contentOf(doc: Y.Doc): string {
  const maps = [...doc.share.keys()].sort().map((name) => [name, [...doc.getMap(name).entries()].sort(byKey)]);
  return JSON.stringify(maps.filter(([, entries]) => entries!.length > 0));
}

function byKey([a]: [string, unknown], [b]: [string, unknown]): number {
  return a < b ? -1 : 1;
}

function sameVector(a: Map<number, number>, b: Map<number, number>): boolean {
  return a.size === b.size && [...a].every(([client, clock]) => b.get(client) === clock);
}
