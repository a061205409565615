import type * as Y from 'yjs';
import { is, listOf, number, oneOf, orNull, readRecords, record, text, truth, valuesOf, type Fields, type Read } from './fields.ts';
import { STANCES, type Author, type Claim, type Comment, type Evidence, type Thread } from './records.ts';

/**
 * The discussion document. The server alone writes it; the readers still check, because a later version of
 * the server may have written what this one does not know.
 */

const AUTHOR: Fields<Author> = { id: text(40), name: text(200) };
const author = record(AUTHOR);

const THREAD: Fields<Thread> = {
  id: text(40),
  anchor: text(10_000),
  author,
  createdAt: number,
  resolved: orNull(record<{ by: Author; at: number }>({ by: author, at: number })),
};

const COMMENT: Fields<Comment> = {
  id: text(40),
  threadId: text(40),
  author,
  body: text(20_000),
  createdAt: number,
  editedAt: orNull(number),
};

const CLAIM: Fields<Claim> = {
  id: text(40),
  anchor: orNull(text(10_000)),
  text: text(500),
  author,
  createdAt: number,
  stances: valuesOf(
    record<Claim['stances'][string]>({
      author,
      stance: oneOf(STANCES),
      reason: (value) => typeof value === 'string' && value.length <= 2000,
      at: number,
    }),
  ),
};

const EVIDENCE: Fields<Evidence> = {
  id: text(40),
  claimId: text(40),
  runIds: listOf(text(40), 50),
  predicate: text(1000),
  author,
  createdAt: number,
  verdict: record<Evidence['verdict']>({ value: oneOf(['holds', 'fails', 'not tested']), left: orNull(number), at: number }),
  reruns: listOf(
    record<Evidence['reruns'][number]>({ runId: text(40), by: author, at: number, agrees: truth, maxDifference: number }),
    10_000,
  ),
};

interface Dated {
  id: string;
  createdAt: number;
}

/** By time, then by id, so that every replica shows the same order. */
const oldestFirst = (a: Dated, b: Dated) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1);

export const readThreads = (doc: Y.Doc): Read<Thread> => readRecords(doc.getMap('threads').entries(), THREAD, oldestFirst);
export const readComments = (doc: Y.Doc): Read<Comment> => readRecords(doc.getMap('comments').entries(), COMMENT, oldestFirst);
export const readClaims = (doc: Y.Doc): Read<Claim> => readRecords(doc.getMap('claims').entries(), CLAIM, oldestFirst);
export const readEvidence = (doc: Y.Doc): Read<Evidence> => readRecords(doc.getMap('evidence').entries(), EVIDENCE, oldestFirst);

export function findThread(doc: Y.Doc, id: string): Thread | null {
  const value: unknown = doc.getMap('threads').get(id);
  return is<Thread>(value, THREAD) ? value : null;
}

export function findComment(doc: Y.Doc, id: string): Comment | null {
  const value: unknown = doc.getMap('comments').get(id);
  return is<Comment>(value, COMMENT) ? value : null;
}

export function findClaim(doc: Y.Doc, id: string): Claim | null {
  const value: unknown = doc.getMap('claims').get(id);
  return is<Claim>(value, CLAIM) ? value : null;
}

export function findEvidence(doc: Y.Doc, id: string): Evidence | null {
  const value: unknown = doc.getMap('evidence').get(id);
  return is<Evidence>(value, EVIDENCE) ? value : null;
}
