import type * as Y from 'yjs';
import { ANCHOR_LIMIT } from './anchors.ts';
import { LIMITS } from './board-doc.ts';
import {
  is,
  listOf,
  number,
  oneOf,
  optional,
  orNull,
  readRecords,
  record,
  text,
  truth,
  valuesOf,
  whole,
  type Fields,
  type Read,
} from './fields.ts';
import {
  SESSION_STATES,
  STANCES,
  type Annotation,
  type Author,
  type Claim,
  type Comment,
  type Evidence,
  type Rerun,
  type SessionRecord,
  type Thread,
} from './records.ts';

/**
 * The discussion document. The server alone writes it; the readers still check, because a later version of
 * the server may have written what this one does not know.
 */

const AUTHOR: Fields<Author> = { id: text(40), name: text(200) };
const author = record(AUTHOR);
const verdict = oneOf(['holds', 'fails', 'not tested']);
/** Characters; a mechanism may name many paths. */
export const PREDICATE_LIMIT = 20_000;

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
  replyTo: optional(text(40)),
  mentions: optional(listOf(author, 100)),
};

const CLAIM: Fields<Claim> = {
  id: text(40),
  anchor: orNull(text(10_000)),
  text: text(500),
  author,
  createdAt: number,
  editedAt: optional(number),
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
  predicate: text(PREDICATE_LIMIT),
  beside: optional(truth),
  note: optional(text(500)),
  group: optional(
    record<NonNullable<Evidence['group']>>({ id: text(40), name: text(200), members: listOf(text(ANCHOR_LIMIT), LIMITS.members) }),
  ),
  author,
  createdAt: number,
  verdict: record<Evidence['verdict']>({ value: verdict, left: orNull(number), at: number }),
  reruns: listOf(
    record<Rerun>({ runId: text(40), by: author, at: number, agrees: truth, maxDifference: number, verdict: optional(verdict) }),
    10_000,
  ),
};

const SESSION: Fields<SessionRecord> = {
  id: text(40),
  name: text(200),
  state: oneOf(SESSION_STATES),
  facilitator: author,
  createdAt: number,
  revealedAt: orNull(number),
  items: whole,
  annotators: whole,
  revision: whole,
};

const ANNOTATION: Fields<Annotation> = {
  id: text(60),
  sessionId: text(40),
  item: whole,
  anchor: text(10_000),
  labels: listOf(
    record<Annotation['labels'][number]>({
      author,
      label: text(200),
      unsure: truth,
      note: (value) => typeof value === 'string' && value.length <= 20_000,
      blind: truth,
      at: number,
    }),
    1000,
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

export const readSessions = (doc: Y.Doc): Read<SessionRecord> => readRecords(doc.getMap('sessions').entries(), SESSION, oldestFirst);
export const readAnnotations = (doc: Y.Doc): Read<Annotation> =>
  readRecords(doc.getMap('annotations').entries(), ANNOTATION, (a, b) =>
    a.sessionId < b.sessionId ? -1 : a.sessionId > b.sessionId ? 1 : a.item - b.item,
  );

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
