/**
 * What the two documents of a board hold. Records are plain JSON values under their id:
 * the board document has one map a record type (written by editors), the discussion document likewise
 * (written by the server alone, so `author` there is true).
 */

/** The analysis a board is about. One record, key `setup` in the board document's `meta` map. */
export interface Setup {
  model: string;
  prompt: string;
  counterfactual: string | null;
  /** null = the last position */
  position: number | null;
  /** null = the most likely token */
  target: string | null;
  /** null = the most likely token other than the target; `none` = no foil */
  foil: string | null;
}

/** Board document, map `labels`. Claims no author. */
export interface Label {
  id: string;
  /** a path, suffix, edge or node in the engine's grammar, or `group:ID` */
  anchor: string;
  text: string;
  /** epoch ms */
  createdAt: number;
}

/**
 * A mechanism. Claims no author. The board document's map `groups` holds it without members, each of which is a
 * {@link GroupMember}, so that two people who change the members at the same time do not undo each other.
 */
export interface Group {
  id: string;
  name: string;
  /** paths, suffixes, edges or nodes in the engine's grammar, each once; of records from before {@link GroupMember}, its first members */
  members: string[];
  /** epoch ms */
  createdAt: number;
}

/** Board document, map `members`. */
export interface GroupMember {
  id: string;
  groupId: string;
  /** a path, suffix, edge or node */
  anchor: string;
  /** epoch ms; of several that were put in at once, thousandths apart in their order */
  createdAt: number;
}

export interface Author {
  id: string;
  name: string;
}

/** Discussion document, map `threads`. */
export interface Thread {
  id: string;
  /** in the grammar of anchors.ts */
  anchor: string;
  author: Author;
  createdAt: number;
  resolved: { by: Author; at: number } | null;
}

/** Discussion document, map `comments`. Deleted comments leave the map. */
export interface Comment {
  id: string;
  threadId: string;
  author: Author;
  body: string;
  createdAt: number;
  editedAt: number | null;
  /** the comment of the same thread that it answers; it may be gone */
  replyTo?: string;
  /** who is addressed by `@name`, as the server found them among the people of the board; absent where nobody is */
  mentions?: Author[];
}

export const STANCES = ['for', 'against', 'unsure'] as const;
export type Stance = (typeof STANCES)[number];

/** Discussion document, map `claims`. */
export interface Claim {
  id: string;
  /** what it is about, in the grammar of anchors.ts, or null for the whole board */
  anchor: string | null;
  text: string;
  author: Author;
  createdAt: number;
  /** absent where the sentence is as it was made */
  editedAt?: number;
  /** by person id */
  stances: Record<string, { author: Author; stance: Stance; reason: string; at: number }>;
}

export type VerdictValue = 'holds' | 'fails' | 'not tested';

/** Discussion document, map `evidence`: runs plus a predicate over their outputs. */
export interface Evidence {
  id: string;
  claimId: string;
  /** runs the predicate reads; the first is the one shown */
  runIds: string[];
  /** in the grammar of lib/board/predicate.ts, e.g. `effect("input->a0.h1->logits") < -0.5` */
  predicate: string;
  /** shown for comparison; has no part in the claim's verdict */
  beside?: boolean;
  /** how its runs were made, in one line */
  note?: string;
  /** the mechanism that it is about, as it was when it was attached */
  group?: Pick<Group, 'id' | 'name' | 'members'>;
  author: Author;
  createdAt: number;
  /** computed by the server from the runs' stored outputs; `left` is the number the predicate compared */
  verdict: { value: VerdictValue; left: number | null; at: number };
  /** reruns, newest last */
  reruns: Rerun[];
}

export interface Rerun {
  runId: string;
  by: Author;
  at: number;
  agrees: boolean;
  maxDifference: number;
  /** what the predicate says of all runs as they came out together with this one; absent in older ones */
  verdict?: VerdictValue;
}

export const SESSION_STATES = ['open', 'paused', 'revealed', 'closed'] as const;
export type SessionState = (typeof SESSION_STATES)[number];

/** Discussion document, map `sessions`: where an annotation session is. Nothing of a label is in it. */
export interface SessionRecord {
  id: string;
  name: string;
  state: SessionState;
  facilitator: Author;
  createdAt: number;
  revealedAt: number | null;
  items: number;
  annotators: number;
  /** raised by everything that changes what somebody may do or has to do: ask the API again */
  revision: number;
}

/** Discussion document, map `annotations`, key `SESSION.ITEM`: what was said of one item, from the reveal on. */
export interface Annotation {
  id: string;
  sessionId: string;
  item: number;
  anchor: string;
  /** in the order in which their authors joined */
  labels: { author: Author; label: string; unsure: boolean; note: string; blind: boolean; at: number }[];
}
