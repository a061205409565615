import type * as Y from 'yjs';
import type { z } from 'zod';
import type { Database } from '../db/client.ts';
import { readAnchor } from '../lib/board/anchors.ts';
import { readGroups } from '../lib/board/board-doc.ts';
import { findClaim, findEvidence, readEvidence } from '../lib/board/discussion-doc.ts';
import { verdictOfClaim } from '../lib/board/opinion.ts';
import { parsePredicate } from '../lib/board/predicate.ts';
import type { Claim, Evidence, Rerun } from '../lib/board/records.ts';
import { verdictOf } from '../lib/board/verdict.ts';
import type { Answer } from '../lib/engine/index.ts';
import type { newClaim, newEvidence, stanceRequest } from '../lib/wire.ts';
import { authorOf, authorise, idsOf, type Member, type Person } from './access.ts';
import type { App } from './app.ts';
import type { AnalyzeOptions } from './context.ts';
import { addEntry, checkAnchor, inDiscussion, requireRecord as require } from './discussion-entries.ts';
import { notify, type News } from './notifications.ts';
import { Refusal } from './refusal.ts';
import { findBoardRun, repeatRun } from './runs.ts';

/** Claims, stances and evidence. */

export async function addClaim(app: App, person: Person, boardId: string, request: z.infer<typeof newClaim>): Promise<Claim> {
  const member = await authorise(app, person, 'board.comment', boardId);
  const { id, anchor, text } = request;
  return addEntry(app, member, { id, kind: 'claim', find: findClaim }, (doc) => {
    if (anchor !== null) checkAnchor(doc, anchor);
    const claim: Claim = { id, anchor, text, author: authorOf(member), createdAt: app.now(), stances: {} };
    doc.getMap('claims').set(id, claim);
    return claim;
  });
}

/** Its author may change the sentence, for as long as nobody else has taken a stance on it. */
export async function editClaim(app: App, person: Person, boardId: string, id: string, text: string): Promise<Claim> {
  const member = await authorise(app, person, 'board.comment', boardId);
  const mine = await idsOf(app.db, member);
  return inDiscussion(app, boardId, (room) =>
    room.edit((doc) => {
      const claim = require(findClaim(doc, id), 'claim', id);
      if (!mine.has(claim.author.id)) throw new Refusal('forbidden', 'claim', 'its author', member.name);
      const others = Object.values(claim.stances).filter(({ author }) => !mine.has(author.id));
      if (others.length > 0) {
        const names = others.map(({ author }) => author.name).join(', ');
        throw new Refusal(
          'conflict',
          'claim',
          'one on which nobody else has taken a stance',
          `a stance of ${names}: make another claim instead`,
        );
      }
      if (claim.text === text) return claim;
      const edited: Claim = { ...claim, text, editedAt: app.now() };
      doc.getMap('claims').set(id, edited);
      return edited;
    }),
  );
}

/** A person has one stance on a claim, or none. */
export async function takeStance(
  app: App,
  person: Person,
  boardId: string,
  claimId: string,
  { stance, reason }: z.infer<typeof stanceRequest>,
): Promise<Claim> {
  const member = await authorise(app, person, 'board.comment', boardId);
  const mine = await idsOf(app.db, member);
  let news: News[] = [];
  let told: string[] = [];
  const change = (doc: Y.Doc) => {
    const claim = require(findClaim(doc, claimId), 'claim', claimId);
    const own = Object.entries(claim.stances).find(([id]) => mine.has(id))?.[1];
    const others = Object.entries(claim.stances).filter(([id]) => !mine.has(id));
    const taken = stance && { [member.id]: { author: authorOf(member), stance, reason, at: app.now() } };
    const changed: Claim = { ...claim, stances: { ...Object.fromEntries(others), ...taken } };
    const isNews = stance !== null && stance !== own?.stance;
    news = isNews ? [{ ...aboutClaim(claim, member, app.now()), kind: 'stance', subjectId: claimId, to: [claim.author.id] }] : [];
    doc.getMap('claims').set(claimId, changed);
    return changed;
  };
  const tell = async (tx: Database) => {
    told = await notify(tx, news);
  };
  const claim = await inDiscussion(app, boardId, (room) => room.edit(change, tell));
  app.rooms.tellNews(told);
  return claim;
}

/** Ties runs to a claim; the verdict is computed from their stored outputs. A mechanism that it is about is kept as it is now. */
export async function addEvidence(
  app: App,
  person: Person,
  boardId: string,
  claimId: string,
  { id, runIds, predicate, beside = false, note, group: groupId }: z.infer<typeof newEvidence>,
): Promise<Evidence> {
  const member = await authorise(app, person, 'board.evidence', boardId);
  const parsed = parsePredicate(predicate);
  const runs = await Promise.all(runIds.map((runId) => findBoardRun(app, boardId, runId)));
  const { value, left } = verdictOf(
    parsed,
    runs.map(({ answer }) => answer),
  );
  const group = await groupNow(app, boardId, claimId, groupId ?? null);
  let news: News[] = [];
  let told: string[] = [];
  const alongside = async (tx: Database) => {
    told = await notify(tx, news);
  };
  const added = await addEntry(app, member, { id, kind: 'evidence', find: findEvidence, alongside }, (doc) => {
    const claim = require(findClaim(doc, claimId), 'claim', claimId);
    const before = verdictIn(doc, claimId);
    const at = app.now();
    const evidence: Evidence = {
      id,
      claimId,
      runIds,
      predicate,
      ...(beside && { beside }),
      ...(note !== undefined && { note }),
      ...(group && { group }),
      author: authorOf(member),
      createdAt: at,
      verdict: { value, left, at },
      reruns: [],
    };
    doc.getMap('evidence').set(id, evidence);
    const changed = verdictIn(doc, claimId) !== before;
    news = changed ? [{ ...aboutClaim(claim, member, app.now()), kind: 'verdict', subjectId: claimId, to: concernedBy(claim) }] : [];
    return evidence;
  });
  app.rooms.tellNews(told);
  return added;
}

/** Executes every run of the evidence anew and notes whether it came out the same, and what the predicate says of that. */
export async function repeatEvidence(app: App, person: Person, boardId: string, id: string, options: AnalyzeOptions): Promise<Evidence> {
  const member = await authorise(app, person, 'board.evidence', boardId);
  const { runIds, predicate } = await inDiscussion(app, boardId, (room) =>
    room.read((doc) => require(findEvidence(doc, id), 'evidence', id)),
  );
  const again: Omit<Rerun, 'verdict'>[] = [];
  const answers: Answer[] = [];
  for (const runId of runIds) {
    const { run, agrees, maxDifference } = await repeatRun(app, member, await findBoardRun(app, boardId, runId), options);
    again.push({ runId: run.id, by: authorOf(member), at: run.createdAt, agrees, maxDifference });
    answers.push(run.answer);
  }
  const { value } = verdictOf(predicate, answers);
  const reruns = again.map((rerun): Rerun => ({ ...rerun, verdict: value }));
  let news: News[] = [];
  let told: string[] = [];
  const change = (doc: Y.Doc) => {
    const evidence = require(findEvidence(doc, id), 'evidence', id);
    const claim = findClaim(doc, evidence.claimId);
    const repeated: Evidence = { ...evidence, reruns: [...evidence.reruns, ...reruns] };
    doc.getMap('evidence').set(id, repeated);
    const differs = value !== evidence.verdict.value || reruns.some(({ agrees }) => !agrees);
    const to = claim ? [...concernedBy(claim), evidence.author.id] : [];
    news = claim && differs ? [{ ...aboutClaim(claim, member, app.now()), kind: 'rerun', subjectId: id, to }] : [];
    return repeated;
  };
  const tell = async (tx: Database) => {
    told = await notify(tx, news);
  };
  const repeated = await inDiscussion(app, boardId, (room) => room.edit(change, tell));
  app.rooms.tellNews(told);
  return repeated;
}

/** The mechanism that was named, or that the claim is about, as it is in the board document now. */
async function groupNow(app: App, boardId: string, claimId: string, named: string | null): Promise<Evidence['group'] | null> {
  const anchor = await inDiscussion(app, boardId, (room) => room.read((doc) => require(findClaim(doc, claimId), 'claim', claimId).anchor));
  const read = anchor === null ? null : readAnchor(anchor);
  const id = named ?? (read?.kind === 'group' ? read.id : null);
  if (id === null) return null;
  const groups = await app.rooms.use({ kind: 'board', boardId }, (room) => room.read((doc) => readGroups(doc).records));
  const group = groups.find((one) => one.id === id);
  if (group) return { id, name: group.name, members: [...group.members] };
  // A claim may outlive the mechanism that it is about.
  if (named === null) return null;
  throw new Refusal('not-found', 'mechanism', 'a mechanism of this board', JSON.stringify(id));
}

function verdictIn(doc: Y.Doc, claimId: string) {
  return verdictOfClaim(readEvidence(doc).records.filter((evidence) => evidence.claimId === claimId));
}

/** Whose claim it is, and who has a stance on it. */
function concernedBy(claim: Claim): string[] {
  return [claim.author.id, ...Object.values(claim.stances).map(({ author }) => author.id)];
}

function aboutClaim(claim: Claim, member: Member, at: number): Omit<News, 'kind' | 'subjectId' | 'to'> {
  return { boardId: member.boardId, by: authorOf(member), anchor: `claim:${claim.id}`, threadId: null, at };
}
