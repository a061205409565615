import type { Claim, Comment, Evidence, Thread } from '../lib/board/records.ts';

/**
 * What of a record goes onto a page, field by field: one that is added to records one day stays on the board until
 * somebody decides that readers may have it.
 */

export function publicThread({ id, anchor, author, createdAt, resolved }: Thread): Thread {
  return { id, anchor, author, createdAt, resolved };
}

/** Whom it addresses stands in its words. */
export function publicComment({ id, threadId, author, body, createdAt, editedAt }: Comment): Comment {
  return { id, threadId, author, body, createdAt, editedAt };
}

export function publicClaim({ id, anchor, text, author, createdAt, stances }: Claim): Claim {
  const told = Object.entries(stances).map(
    ([key, { author: who, stance, reason, at }]) => [key, { author: who, stance, reason, at }] as const,
  );
  return { id, anchor, text, author, createdAt, stances: Object.fromEntries(told) };
}

export function publicEvidence(evidence: Evidence): Evidence {
  const { id, claimId, runIds, predicate, beside, note, group, author, createdAt, verdict, reruns } = evidence;
  return {
    id,
    claimId,
    runIds,
    predicate,
    ...(beside !== undefined && { beside }),
    ...(note !== undefined && { note }),
    ...(group !== undefined && { group: { id: group.id, name: group.name, members: group.members } }),
    author,
    createdAt,
    verdict,
    reruns: reruns.map(({ runId, by, at, agrees, maxDifference, verdict: value }) => ({
      runId,
      by,
      at,
      agrees,
      maxDifference,
      ...(value !== undefined && { verdict: value }),
    })),
  };
}
