import * as z from 'zod';
import type { Agreement } from './board/agreement.ts';
import { SESSION_LIMITS, type Pick } from './board/queues.ts';
import type { Author, Claim, Comment, Evidence, SessionRecord, Setup, Thread } from './board/records.ts';
import type { ModelSource } from './model-wire.ts';
import { ROLES, type Role } from './roles.ts';
import type { Report } from './verify.ts';
import {
  EXAMPLE_LIMIT,
  GENERATORS,
  GRANULARITIES,
  REFERENCES,
  VIEWS,
  type Answer,
  type DictionaryKind,
  type ErrorCode,
  type View,
} from './engine/index.ts';

// Compiling validators evaluates text, which the pages' security policy forbids.
z.config({ jitless: true });

/**
 * API and message shapes. Every error body is {@link ApiError}; every id in a URL is validated by {@link id}.
 *
 *   GET    /api/models                          -> ModelSummary[]
 *   (a model's detail, deleting it, imports: model-wire.ts)
 *   POST   /api/models/NAME/tokenize            {text, special?} -> {tokens: TokenText[]}
 *   GET    /api/models/NAME/tokens?q=TEXT       -> {tokens: TokenText[]} (search, best first, at most 50)
 *   GET    /api/models/NAME/files/HASH/FILE     one of the model's files, files.json for their list; Range
 *   GET    /api/models/NAME/dictionaries        -> DictionarySummary[], its sparse dictionaries
 *   GET    /api/models/NAME/dictionaries/HASH/FILE   as files/HASH/FILE
 *   GET    /api/workers                         -> WorkerSummary[]: who computes
 *   POST   /api/analyze                         analyzeRequest -> Answer, or with Accept: application/x-ndjson
 *                                               a stream of AnalyzeEvent lines; aborting the request cancels
 *   *      /api/auth/…                          better-auth: sign-in/email, sign-in/social, link-social, sign-out, change-password,
 *                                               list-sessions, revoke-session, …
 *   GET    /api/sign-in                         -> SignInOptions
 *   GET    /api/me                              -> Me
 *   PATCH  /api/me                              {name} -> Me (409 where somebody else of a workspace has it)
 *   POST   /api/me/account                      {email, password} -> Me; a guest, or the owner, becomes an account under the same id
 *   GET    /enter?token=T                       one-time owner link: sets the session cookie, goes to /
 *   GET    /api/join?token=T                    -> Invitation (what it is to)
 *   POST   /api/join                            {token, name} -> {boardId, workspaceId}; makes a guest where nobody is signed in
 *   POST   /api/local/link                      -> {url}; a new owner link, for the command on this machine
 *   POST   /api/local/backup, /api/local/password   for the command on this machine
 *   GET    /api/workspaces   POST               -> WorkspaceSummary[]; {name} -> {id}
 *   PATCH  /api/workspaces/WID                  {name}     DELETE likewise
 *   GET    /api/workspaces/WID/members          -> Member[]
 *   PATCH  /api/workspaces/WID/members/PID      {role}     DELETE removes, oneself: leaves
 *   POST   /api/workspaces/WID/transfer         {personId}: an owner makes somebody else owner, and becomes editor
 *   GET    /api/workspaces/WID/invites          -> Invite[]     POST newInvite -> Invite & {url}
 *   GET    /api/workspaces/WID/audit?before=N   -> AuditEntry[], newest first, at most 100
 *   GET    /api/workspaces/WID/bin              -> BoardSummary[] (deleted in the last 30 days)
 *   DELETE /api/invites/IID                     revokes
 *   GET    /api/boards                          -> BoardSummary[]     POST newBoard -> {id}
 *   DELETE /api/boards/ID?pages=keep|remove     into the bin, published pages along or not (default keep)     POST /api/boards/ID/undelete: out of it
 *   GET    /api/boards/ID/access                -> {role}
 *   GET    /api/boards/ID/members               -> Member[] (of board and workspace)
 *   PATCH  /api/boards/ID/members/PID           {role}     DELETE removes, oneself: leaves
 *   POST   /api/boards/ID/transfer              {personId}
 *   GET    /api/boards/ID/invites               -> Invite[]     POST newInvite -> Invite & {url}
 *   GET    /api/boards/ID/versions              -> VersionSummary[], newest first     POST {name} -> VersionSummary
 *   GET    /api/boards/ID/versions/VID          -> Version     PATCH {name}     DELETE
 *   POST   /api/boards/ID/comments              newComment -> Comment (opens the thread when there is none)
 *   PATCH  /api/boards/ID/comments/CID          {body}     DELETE likewise
 *   GET    /api/boards/ID/comments/CID/history  -> EarlierText[], oldest first: what it said before it was edited
 *   GET    /api/boards/ID/marks                 -> ThreadMark[], one's own     POST: all threads are read
 *   PUT    /api/boards/ID/threads/TID/mark      {readAt?, muted?}, one's own
 *   GET    /api/notifications                   -> Notifications, one's own     POST {ids: [..] | 'all'}: they are read
 *   POST   /api/boards/ID/threads/TID           {resolved: boolean}
 *   POST   /api/boards/ID/claims                newClaim -> Claim
 *   PATCH  /api/boards/ID/claims/CLID           {text}; its author, while nobody else has a stance
 *   PUT    /api/boards/ID/claims/CLID/stance    {stance, reason} ; stance null takes it back
 *   POST   /api/boards/ID/claims/CLID/evidence  newEvidence -> Evidence
 *   POST   /api/boards/ID/evidence/EID/again    -> Evidence (executes every run anew and compares)
 *   GET    /api/boards/ID/runs                  -> Run[] newest first
 *   POST   /api/boards/ID/runs                  analyzeRequest -> Run, or the ndjson stream as above ending in {type:'run'}
 *   GET    /api/runs/RID                        -> Run
 *   POST   /api/boards/ID/publish               newPublication -> {url, slug, version}
 *   Annotation sessions. Until the reveal nobody is answered anything of somebody else's label; afterwards the labels are in
 *   the discussion document, too. `revision` in its map `sessions` tells when to ask again.
 *   GET    /api/boards/ID/sessions              -> SessionSummary[], newest first     POST newSession -> SessionDetail
 *   GET    /api/sessions/SID                    -> SessionDetail (with everybody's progress for who may facilitate)
 *   PATCH  /api/sessions/SID                    {state}: open <-> paused -> revealed; any -> closed; asking for what is, is done
 *   GET    /api/sessions/SID/queue              -> QueueItem[]: one's own, in order, with one's own labels
 *   PUT    /api/sessions/SID/labels/LID         newLabel -> OwnLabel | null; LID is made by the client and applied once: null
 *                                               where it was taken back since. It takes the place of one's earlier label of the item
 *   DELETE /api/sessions/SID/labels/LID         takes one's own label back
 *   POST   /api/sessions/SID/skip               {item}: puts it off to the end of one's queue
 *   POST   /api/sessions/SID/annotators         {personId}: joins late -> SessionDetail
 *   POST   /api/sessions/SID/reassign           {from, to}: what `from` has not labelled goes to `to`, who joins where need be;
 *                                               what `to` has already is taken off `from` alone -> {moved, dropped}
 *   GET    /api/sessions/SID/results            -> SessionResults (409 before the reveal)
 *   GET    /api/sessions/SID/export?as=long|matrix|json   a file: CSV with one row a label, CSV with one row an item, JSON
 *   GET    /api/boards/ID/publications          -> Publication[], newest first
 *   GET    /api/boards/ID/export?format=F       a file for other tools: attribution-graph, eap, annotations, paths, labels, …
 *   POST   /api/boards/ID/import                a file of other tools -> ImportReport
 *   GET    /api/boards/ID/imports               -> ImportedGraph[], newest first
 *   GET    /api/boards/ID/imports/GID           the graph as it came     DELETE
 *   GET    /p/SLUG   /p/SLUG/vN                 HTML: the latest version, that version
 *   GET    /p/SLUG/vN/embed                     HTML for other sites to frame
 *   GET    /p/SLUG/vN/FILE                      snapshot.json, paths.csv, degrees.svg, card.png, citation.bib, … (published-files.ts)
 *   GET    /p/SLUG/vN/verify   POST             -> {report, createdAt}; POST computes where nothing is stored, ?again=1 anyway; with
 *                                               Accept: application/x-ndjson a stream of VerifyEvent lines
 *   GET    /p/SLUG/vN/model/HASH/FILE           a file of the model, where the publisher lets readers have it; Range
 *   WS     /collab/board/ID, /collab/discussion/ID   the y-websocket protocol (room = `board/ID`, server URL = /collab)
 */

export const id = z.string().regex(/^[A-Za-z0-9_-]{8,40}$/, 'an id of 8 to 40 letters, digits, _ or -');
const uuid = z.uuid();
const line = (max: number) => z.string().trim().min(1).max(max);
const tokenIds = z.array(z.int().nonnegative()).min(1).max(100_000);

const promptText = z.string().max(1_000_000);
const promptOrTokens = z.union([promptText, tokenIds]);
const tokenText = z.string().max(1000);
const seed = z.int().min(0).max(4_294_967_295);
const names = z.array(z.string().max(200)).max(10_000);

const example = z.strictObject({
  clean: promptOrTokens,
  counterfactual: promptOrTokens.optional(),
  target: tokenText.optional(),
  foil: tokenText.optional(),
});
/** Prompts as given, or drawn by a built-in generator. */
const promptSet = z.union([
  z.strictObject({ examples: z.array(example).min(1).max(EXAMPLE_LIMIT), name: line(200).optional() }),
  z.strictObject({ generator: z.enum(GENERATORS), count: z.int().min(1).max(EXAMPLE_LIMIT), seed: seed.optional() }),
]);

export const analyzeRequest = z.strictObject({
  view: z.enum(VIEWS),
  model: line(200),
  prompt: promptText.optional(),
  tokens: tokenIds.optional(),
  prompts: promptSet.optional(),
  referencePrompts: promptSet.optional(),
  counterfactual: promptText.optional(),
  counterfactualTokens: tokenIds.optional(),
  position: z.int().optional(),
  target: tokenText.optional(),
  foil: tokenText.optional(),
  top: z.int().optional(),
  maxDegree: z.int().optional(),
  paths: z.array(z.string().max(10_000)).max(10_000).optional(),
  edges: names.optional(),
  allEdges: z.boolean().optional(),
  together: z.boolean().optional(),
  ablate: names.optional(),
  nodes: names.optional(),
  granularity: z.enum(GRANULARITIES).optional(),
  steps: z.int().min(1).max(1000).optional(),
  seed: seed.optional(),
  foldNorm: z.boolean().optional(),
  ablation: z.enum(REFERENCES).optional(),
  untilMass: z.number().min(0).max(1).optional(),
  byToken: z.boolean().optional(),
  positions: z.boolean().optional(),
  dictionaries: z.array(line(200)).max(100).optional(),
  special: z.boolean().optional(),
});

export const setup = z.strictObject({
  model: line(200),
  prompt: z.string().min(1).max(100_000),
  counterfactual: z.string().max(100_000).nullable(),
  position: z.int().nullable(),
  target: z.string().max(1000).nullable(),
  foil: z.string().max(1000).nullable(),
});

export const tokenizeRequest = z.strictObject({ text: z.string().max(1_000_000), special: z.boolean().optional() });
export const joinRequest = z.strictObject({ token: line(200), name: line(40) });
export const renameRequest = z.strictObject({ name: line(40) });
export const accountRequest = z.strictObject({ email: z.email().max(200), password: z.string().min(10).max(200) });
export const workspaceRequest = z.strictObject({ name: line(100) });
export const roleRequest = z.strictObject({ role: z.enum(ROLES) });
export const transferRequest = z.strictObject({ personId: id });
export const newInvite = z.strictObject({
  role: z.enum(ROLES).exclude(['owner']),
  /** days */
  expiresIn: z.int().min(1).max(365),
  /** null: as many as come */
  maxUses: z.int().min(1).max(10_000).nullable(),
});
export const versionRequest = z.strictObject({ name: line(200) });
export const newBoard = z.strictObject({
  title: z.string().trim().max(200).optional(),
  setup,
  /** default: the person's first workspace in which they may make boards */
  workspaceId: id.optional(),
});
export const newComment = z.strictObject({
  id: uuid,
  anchor: line(10_000),
  body: line(20_000),
  /** a comment of the same thread */
  replyTo: uuid.optional(),
});
export const editComment = z.strictObject({ body: line(20_000) });
export const resolveThread = z.strictObject({ resolved: z.boolean() });
export const markRequest = z
  .strictObject({ readAt: z.int().nonnegative().optional(), muted: z.boolean().optional() })
  .refine(({ readAt, muted }) => readAt !== undefined || muted !== undefined, 'readAt or muted');
export const readRequest = z.strictObject({ ids: z.union([z.literal('all'), z.array(id).min(1).max(200)]) });
export const editClaim = z.strictObject({ text: line(500) });
export const newClaim = z.strictObject({ id: uuid, anchor: line(10_000).nullable(), text: line(500) });
export const stanceRequest = z.strictObject({
  stance: z.enum(['for', 'against', 'unsure']).nullable(),
  reason: z.string().trim().max(2000),
});
export const newEvidence = z.strictObject({
  id: uuid,
  runIds: z.array(id).min(1).max(50),
  predicate: line(20_000),
  /** shown for comparison; has no part in the claim's verdict */
  beside: z.boolean().optional(),
  /** how its runs were made */
  note: line(500).optional(),
  /** the mechanism that it is about; default the claim's */
  group: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,40}$/)
    .optional(),
});
/** What becomes of the published pages of a board that is deleted. */
export const pagesOfDeleted = z.enum(['keep', 'remove']);
export type PagesOfDeleted = z.infer<typeof pagesOfDeleted>;
export const newPublication = z.strictObject({
  title: line(200),
  /** given again = next version; default made from the title */
  slug: z
    .string()
    .regex(/^[a-z0-9](?:[a-z0-9-]{1,60})[a-z0-9]$/)
    .optional(),
  question: z.string().trim().max(2000),
  findings: z.string().trim().max(50_000),
  threads: z.boolean(),
  /** for double-blind review: no name leaves the board */
  anonymous: z.boolean().optional(),
  /** whether readers may have the model's weights; default those of built-in models alone */
  weights: z.boolean().optional(),
});

const pick = z.discriminatedUnion('by', [
  z.strictObject({ by: z.literal('top'), count: z.int().min(1).max(SESSION_LIMITS.items) }),
  z.strictObject({ by: z.literal('threshold'), of: z.enum(['value', 'share']), least: z.number().positive() }),
  z.strictObject({ by: z.literal('hand'), anchors: z.array(line(10_000)).min(1).max(SESSION_LIMITS.items) }),
]);
export const newSession = z.strictObject({
  id: uuid,
  name: line(200),
  instructions: z.string().trim().max(SESSION_LIMITS.instructions),
  labels: z.array(line(SESSION_LIMITS.label)).min(2).max(SESSION_LIMITS.labels),
  pick,
  annotators: z.array(id).min(1).max(SESSION_LIMITS.annotators),
  /** how many people label each item; null: everyone */
  perItem: z.int().min(1).max(SESSION_LIMITS.annotators).nullable(),
  hidesNumbers: z.boolean(),
});
export const sessionChange = z.strictObject({ state: z.enum(['open', 'paused', 'revealed', 'closed']) });
const item = z.int().min(1).max(SESSION_LIMITS.items);
export const newLabel = z.strictObject({
  item,
  label: line(SESSION_LIMITS.label),
  unsure: z.boolean(),
  note: z.string().trim().max(SESSION_LIMITS.note),
});
export const skipRequest = z.strictObject({ item });
export const annotatorRequest = z.strictObject({ personId: id });
export const reassignRequest = z.strictObject({ from: id, to: id });
export const exportForm = z.enum(['long', 'matrix', 'json']);

/** A file of another tool: lib/interchange says what is wrong with it. */
export const anyJson = z.unknown();
/** What a board can be taken away as. */
export const exportFormat = z.enum(['attribution-graph', 'eap', 'annotations', 'paths', 'labels', 'claims', 'stances', 'evidence']);
export type ExportFormat = z.infer<typeof exportFormat>;

export interface ApiError {
  error: {
    code:
      | ErrorCode
      | 'unauthorised'
      | 'forbidden'
      | 'not-found'
      | 'conflict'
      | 'too-large'
      /** with `retry-after`, in seconds */
      | 'too-fast'
      /** the database, say, does not answer: later, perhaps */
      | 'unavailable'
      | 'internal';
    message: string;
    where?: string;
  };
}

export interface TokenText {
  id: number;
  text: string;
}

export interface ModelSummary {
  name: string;
  hash: string;
  family: string;
  layers: number;
  heads: number;
  dModel: number;
  vocabulary: number;
  context: number;
  hasMlp: boolean;
  hasTokenizer: boolean;
  builtIn: boolean;
  /** of the weights' files */
  bytes: number;
  /** numbers that it was trained to, each counted once */
  parameters: number;
  /** types in which they are stored: float32, float16, bfloat16 */
  storedAs: string[];
  source: ModelSource;
  /** ISO 8601; null for built-in models */
  importedAt: string | null;
  /** shown on the start page */
  example: { prompt: string; counterfactual: string; target: string; foil: string; note: string } | null;
}

/** A sparse dictionary of a model, in SAELens' layout. */
export interface DictionarySummary {
  name: string;
  hash: string;
  /** hash of the model that it is of */
  model: string;
  modelName: string;
  kind: DictionaryKind;
  layer: number;
  hook: string;
  hookOut: string | null;
  /** number of features */
  width: number;
  activation: 'relu' | 'jumprelu' | 'topk';
  k: number | null;
  bytes: number;
  builtIn: boolean;
}

/** Whoever computes analyses: a server, or a worker that shares its database. */
export interface WorkerSummary {
  id: string;
  /** of the machine */
  name: string;
  kind: 'server' | 'worker';
  /** of Pathboard */
  version: string;
  engineVersion: string;
  /** `notCuda`: why it is not CUDA, where that was asked for or is set up */
  devices: { engine: string; provider: string; dtype: string; threads: number; notCuda?: string }[];
  models: { name: string; hash: string; dictionaries: { name: string; hash: string }[] }[];
  /** analyses that it computes now */
  running: number;
  startedAt: number;
  /** milliseconds since it was last heard of */
  silentFor: number;
  /** whether it takes what this server is asked; one with another version of the engine does not */
  takes: boolean;
}

/** One line of an ndjson answer. `progress` may repeat; exactly one `result`, `run` or `error` ends the stream. */
export type AnalyzeEvent =
  | { type: 'progress'; done: number; total: number; what: string }
  | { type: 'result'; answer: Answer }
  | { type: 'run'; run: Run }
  | ({ type: 'error' } & ApiError);

/** As {@link AnalyzeEvent}, of verifying a published page; `html` is the report as the page shows it. */
export type VerifyEvent =
  | { type: 'progress'; done: number; total: number; what: string }
  | { type: 'report'; report: Report; createdAt: number; html: string }
  | ({ type: 'error' } & ApiError);

/** Immutable: what was asked, what it ran on, what came out. */
export interface Run {
  id: string;
  /** sha256 of inputs and environment; equal keys must give equal outputs */
  key: string;
  boardId: string | null;
  view: View;
  request: z.infer<typeof analyzeRequest>;
  answer: Answer;
  author: Author;
  createdAt: number;
  computedBy: 'server';
}

export interface Me {
  person: Author | null;
  /** of this installation */
  owner: boolean;
  /** null for a guest and for an owner without a password */
  email: string | null;
  /** a guest: signed in on this browser alone */
  guest: boolean;
}

export interface SignInOptions {
  /** names of OAuth providers that are configured */
  providers: string[];
  /** whether anybody may make an account, or only who was invited */
  signUp: 'open' | 'invited';
}

export interface WorkspaceSummary {
  id: string;
  name: string;
  /** null for who is on single boards alone */
  role: Role | null;
  boards: number;
  people: number;
}

export interface Member {
  person: Author;
  guest: boolean;
  role: Role;
  /** where the role comes from */
  through: 'workspace' | 'board';
  joinedAt: number;
}

export interface Invite {
  id: string;
  role: Role;
  /** null: to the whole workspace */
  boardId: string | null;
  createdBy: string;
  createdAt: number;
  expiresAt: number;
  maxUses: number | null;
  uses: number;
  revokedAt: number | null;
}

export interface Invitation {
  /** of the board, or of the workspace */
  title: string;
  boardId: string | null;
  workspaceId: string;
  role: Role;
  /** has this role or a higher one already */
  member: boolean;
}

export interface AuditEntry {
  id: number;
  at: number;
  boardId: string | null;
  /** null: the server itself */
  personId: string | null;
  personName: string;
  action: string;
  details: Record<string, string | number | boolean | null>;
}

/** What a comment said before. */
export interface EarlierText {
  body: string;
  /** when it was written */
  writtenAt: number;
}

/** How far a person has read a thread; nobody else is told. */
export interface ThreadMark {
  threadId: string;
  /** comments up to then are read */
  readAt: number;
  /** replies are not told */
  muted: boolean;
}

/** What somebody did that concerns a person. */
export interface Notification {
  id: string;
  boardId: string;
  boardTitle: string;
  /**
   * `mention` and `reply`: a comment; `stance` on one's claim; `verdict` of a claim that one made or took a stance on
   * changed; `rerun` of its evidence came out differently; `role`: one's role on the board was changed
   */
  kind: 'mention' | 'reply' | 'stance' | 'verdict' | 'rerun' | 'role';
  /** the comment, claim or evidence */
  subjectId: string;
  /** where it is; null for the board as a whole */
  anchor: string | null;
  threadId: string | null;
  by: Author;
  createdAt: number;
  readAt: number | null;
}

export interface Notifications {
  unread: number;
  /** newest first, at most 100 */
  list: Notification[];
}

export interface VersionSummary {
  id: string;
  /** null: kept by itself */
  name: string | null;
  author: string;
  createdAt: number;
}

export interface Version extends VersionSummary {
  /** what the board document held, map by map, key by key */
  content: Record<string, Record<string, unknown>>;
}

export interface BoardSummary {
  id: string;
  workspaceId: string;
  role: Role;
  title: string;
  model: string;
  prompt: string;
  createdAt: number;
  updatedAt: number;
}

export interface SessionSummary extends SessionRecord {
  boardId: string;
  /** of the person's own queue; null for who has none */
  mine: { tasks: number; done: number } | null;
}

/** How far somebody is with their queue. */
export interface Progress {
  person: Author;
  joinedAt: number;
  tasks: number;
  done: number;
  skipped: number;
}

export interface SessionDetail extends SessionSummary {
  instructions: string;
  labels: string[];
  perItem: number | null;
  hidesNumbers: boolean;
  pick: Pick;
  /** the board's question when the session was made */
  setup: Setup;
  /** where the items' numbers come from; without terms */
  answer: Answer;
  people: Author[];
  /** for who may facilitate; null for everybody else */
  progress: Progress[] | null;
}

export interface OwnLabel {
  id: string;
  label: string;
  unsure: boolean;
  note: string;
  /** given before the reveal: it counts in the agreement, and cannot be changed afterwards */
  blind: boolean;
  at: number;
}

export interface Named {
  /** in the grammar of lib/board/anchors.ts */
  anchor: string;
  /** a mechanism's name and members as they were when the session was made; else null */
  title: string | null;
  members: string[] | null;
}

export interface QueueItem extends Named {
  item: number;
  /** logits; null where it is no part of the expansion, or hidden before the reveal */
  value: number | null;
  skipped: boolean;
  /** came from somebody else's queue */
  takenOver: boolean;
  mine: OwnLabel | null;
}

export interface LabelledItem extends Named {
  item: number;
  value: number | null;
  labels: { author: Author; label: string; unsure: boolean; note: string; blind: boolean; at: number }[];
}

export interface SessionResults {
  people: Author[];
  items: LabelledItem[];
  /** of the blind labels alone; raters are ids of people */
  agreement: Agreement;
}

/** A graph that somebody brought from elsewhere: not computed here, not verified. */
export interface ImportedGraph {
  id: string;
  name: string;
  format: 'attribution-graph' | 'eap';
  nodes: number;
  links: number;
  author: string;
  createdAt: number;
}

/** What of a file found a place on the board. */
export interface ImportReport {
  format: 'attribution-graph' | 'eap' | 'annotations';
  graphId: string | null;
  groups: number;
  labels: number;
  comments: number;
  /** what did not, and why */
  left: { id: string; why: string }[];
}

export interface Publication {
  slug: string;
  version: number;
  title: string;
  url: string;
  createdAt: number;
}

/** What each client publishes about itself; the server overwrites `user` from the session. */
export interface Presence {
  user: { id: string; name: string; color: string };
  /** the path, suffix or node in the person's inspector */
  selection: string | null;
  /** what is under the person's cursor */
  hover?: string | null;
  /** the search part of the board's address as the person has it, for those who follow; null where it is too long */
  place?: string | null;
}

export * from './board/protocol.ts';
export type { Role } from './roles.ts';
export type { Agreement, Author, Claim, Comment, Evidence, Pick, SessionRecord, Setup, Thread };
