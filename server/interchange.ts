import { and, desc, eq } from 'drizzle-orm';
import { createHash } from 'node:crypto';
import { importedGraphs } from '../db/schema.ts';
import { addLabel, putGroup, readGroups, readLabels, readSetup, readTitle, LIMITS } from '../lib/board/board-doc.ts';
import { isModelAnchor, isNameAnchor, readAnchor } from '../lib/board/anchors.ts';
import { readClaims, readComments, readEvidence, readThreads } from '../lib/board/discussion-doc.ts';
import { verdictOfClaim } from '../lib/board/opinion.ts';
import type { Group, Setup } from '../lib/board/records.ts';
import { EngineError } from '../lib/engine/index.ts';
import { csvOf } from '../lib/figures/csv.ts';
import { readAttributionGraph, writeAttributionGraph } from '../lib/interchange/attribution-graph.ts';
import { readEapGraph, writeEapGraph } from '../lib/interchange/eap-graph.ts';
import { claimsCsv, evidenceCsv, labelsCsv, stancesCsv } from '../lib/interchange/tables.ts';
import { broughtIn, readAnnotations, writeAnnotations, type ReadAnnotation } from '../lib/interchange/web-annotation.ts';
import { questionOf } from '../lib/snapshot.ts';
import type { ExportFormat, ImportReport, ImportedGraph } from '../lib/wire.ts';
import { authorise, type Member, type Person } from './access.ts';
import { newId } from './access/tokens.ts';
import type { App } from './app.ts';
import type { AnalyzeOptions } from './context.ts';
import { addComment } from './discussion.ts';
import { slugOf } from './publish.ts';
import { Refusal, isRefusal } from './refusal.ts';
import { analyze } from './runs.ts';

/** What leaves a board for other tools, and what comes from them. */

export interface ExportedFile {
  name: string;
  type: string;
  body: string;
}

/** Edges of an exported graph, largest first; complete paths beside them; paths of a table. */
const EDGES = 2000;
const PATHS = 100;
const TABLE = 1000;
/** Gradients between clean and reference. */
const STEPS = 5;
/** Comments of one file. */
const COMMENTS = 500;
/** Graphs from elsewhere that a board keeps. */
const GRAPHS = 50;
/** Lists and objects in each other: no file of these formats has so many, and what has far more cannot be written out again. */
const DEPTH = 64;
const CSV = 'text/csv; charset=utf-8; header=present';
const JSON_TYPE = 'application/json; charset=utf-8';

export async function exportBoard(
  app: App,
  person: Person,
  boardId: string,
  format: ExportFormat,
  asking: AnalyzeOptions,
): Promise<ExportedFile> {
  await authorise(app, person, 'board.analyze', boardId);
  const options = { ...asking, person: person.id };
  const board = await readBoard(app, boardId);
  const question = questionOf(board.setup);
  switch (format) {
    case 'attribution-graph': {
      const flow = await analyze(app, { ...question, view: 'flow', positions: true, top: EDGES }, options);
      const paths = await analyze(app, { ...question, view: 'paths', top: PATHS }, options);
      const { layers } = await modelOf(app, flow.model.hash);
      const { groups, labels, setup } = board;
      const source = {
        slug: slugOf(board.title),
        prompt: setup.prompt,
        layers,
        flow,
        paths,
        groups,
        labels,
        pinned: labels.map(({ anchor }) => anchor),
      };
      return { name: 'graph.json', type: JSON_TYPE, body: JSON.stringify(writeAttributionGraph(source)) };
    }
    case 'eap': {
      const answer = await analyze(
        app,
        { ...question, view: 'attribution', ...(board.setup.counterfactual !== null && { steps: STEPS }) },
        options,
      );
      const graph = writeEapGraph(answer, await modelOf(app, answer.model.hash), null);
      return { name: 'eap-graph.json', type: JSON_TYPE, body: JSON.stringify(graph) };
    }
    case 'annotations': {
      const { model } = await analyze(app, { ...question, view: 'logits', top: 1 }, options);
      const { threads, claims } = await readTalk(app, boardId);
      const source = `${app.config.publicUrl}/boards/${boardId}`;
      const titleOf = (anchor: string) => board.groups.find(({ id }) => anchor === `group:${id}`)?.name ?? anchor;
      const page = writeAnnotations({ source, model, labels: board.labels, threads, claims: claims.map(({ claim }) => claim), titleOf });
      return { name: 'annotations.jsonld', type: 'application/ld+json; charset=utf-8', body: JSON.stringify(page) };
    }
    case 'paths':
      return { name: 'paths.csv', type: CSV, body: csvOf(await analyze(app, { ...question, view: 'paths', top: TABLE }, options)) };
    case 'labels':
      return { name: 'labels.csv', type: CSV, body: labelsCsv(board.labels) };
    case 'claims': {
      const { claims } = await readTalk(app, boardId);
      return {
        name: 'claims.csv',
        type: CSV,
        body: claimsCsv(claims.map(({ claim, evidence }) => ({ claim, verdict: verdictOfClaim(evidence) }))),
      };
    }
    case 'stances': {
      const { claims } = await readTalk(app, boardId);
      return { name: 'stances.csv', type: CSV, body: stancesCsv(claims.map(({ claim }) => claim)) };
    }
    case 'evidence': {
      const { claims } = await readTalk(app, boardId);
      return { name: 'evidence.csv', type: CSV, body: evidenceCsv(claims.flatMap(({ evidence }) => evidence)) };
    }
  }
}

/** Takes in a file of any of the formats; which one it is, it says itself. What it lacks a place for is named, not dropped in silence. */
export async function importToBoard(app: App, person: Person, boardId: string, file: unknown): Promise<ImportReport> {
  const member = await authorise(app, person, 'board.edit', boardId);
  checkDepth(file);
  switch (formatOf(file)) {
    case 'attribution-graph':
      return importGraph(app, member, file);
    case 'eap':
      return importEap(app, member, file);
    case 'annotations':
      return importAnnotations(app, member, file);
  }
}

function checkDepth(file: unknown): void {
  let level = [file].filter(isNested);
  for (let depth = 1; level.length > 0; depth++) {
    if (depth > DEPTH) throw new Refusal('bad-request', 'file', `at most ${DEPTH} lists and objects in each other`, 'more');
    level = level.flatMap((one) => Object.values(one).filter(isNested));
  }
}

function isNested(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function formatOf(file: unknown): 'attribution-graph' | 'eap' | 'annotations' {
  const has = (field: string) => typeof file === 'object' && file !== null && field in file;
  if (has('links') && has('nodes')) return 'attribution-graph';
  if (has('cfg') && has('edges')) return 'eap';
  if (Array.isArray(file) || has('items') || has('@context') || has('motivation')) return 'annotations';
  const expected = 'an attribution graph (nodes, links), an EAP-IG graph (cfg, edges) or web annotations (items)';
  throw new EngineError('bad-request', 'file', expected, JSON.stringify(file)?.slice(0, 100) ?? 'nothing');
}

async function importGraph(app: App, member: Member, file: unknown): Promise<ImportReport> {
  const { graph, groups, pinned, labels, unnamed } = readAttributionGraph(file);
  const { slug } = graph.metadata;
  // What we wrote ourselves has pinned what is labelled and in mechanisms, which come by themselves.
  const isOurs = graph.pathboard !== undefined;
  const inGroups = new Set(groups.flatMap(({ members }) => members));
  const rest = isOurs ? [] : pinned.filter((name) => !inGroups.has(name));
  const all = rest.length > 0 ? [...groups, { name: `Pinned in ${slug}`.slice(0, LIMITS.groupName), members: rest }] : groups;
  const id = await keepGraph(app, member, {
    format: 'attribution-graph',
    name: slug,
    graph: file,
    nodes: graph.nodes.length,
    links: graph.links.length,
  });
  const left = unnamed > 0 ? [{ id: slug, why: `${unnamed} of its nodes are features or tokens, which have no name here` }] : [];
  const written = await writeToBoard(app, member, { from: slug, groups: all, labels });
  return { format: 'attribution-graph', graphId: id, comments: 0, ...written, left: [...left, ...written.left] };
}

async function importEap(app: App, member: Member, file: unknown): Promise<ImportReport> {
  const { graph, edges } = readEapGraph(file);
  const [nodes, links] = [Object.keys(graph.nodes).length, Object.keys(graph.edges).length];
  const id = await keepGraph(app, member, { format: 'eap', name: 'EAP-IG graph', graph: file, nodes, links });
  const members = edges.slice(0, LIMITS.members).map(({ name }) => name);
  const over = edges.length - members.length;
  const left =
    over > 0 ? [{ id: 'EAP-IG graph', why: `its ${over} smallest edges: a mechanism has at most ${LIMITS.members} members` }] : [];
  const groups = members.length > 0 ? [{ name: 'EAP-IG circuit', members }] : [];
  const written = await writeToBoard(app, member, { from: id, groups, labels: [] });
  return { format: 'eap', graphId: id, comments: 0, ...written, left: [...left, ...written.left] };
}

/** Whoever brings words in is their author here; the words say whose they were. */
async function importAnnotations(app: App, member: Member, file: unknown): Promise<ImportReport> {
  const { items, left } = readAnnotations(file);
  const labels = items.filter(({ kind }) => kind === 'label').map(({ anchor, text }) => ({ anchor, text }));
  const comments = items.filter(({ kind }) => kind === 'comment');
  if (comments.length > COMMENTS) throw new Refusal('too-large', 'annotations', `at most ${COMMENTS} comments`, `${comments.length}`);
  const written = await writeToBoard(app, member, { from: 'annotations', groups: [], labels });
  const refused: ImportReport['left'] = [];
  let added = 0;
  for (const item of comments) {
    const why = await addImported(app, member, item);
    if (why === null) added += 1;
    else refused.push({ id: item.id, why });
  }
  return { format: 'annotations', graphId: null, ...written, comments: added, left: [...left, ...written.left, ...refused] };
}

/** Why it could not be added, or null. Brought in a second time it is the comment that is there. */
async function addImported(app: App, member: Member, { id, anchor, text, creator, source }: ReadAnnotation): Promise<string | null> {
  const kind = readAnchor(anchor)?.kind;
  if (kind !== 'model' && kind !== 'feature' && kind !== 'token') return `it hangs on ${anchor}, which another board has`;
  const body = broughtIn({ by: member.name, source, creator, text }).slice(0, 20_000);
  try {
    await addComment(app, member, member.boardId, { id: uuidOf(`${member.boardId}\0${id}\0${text}`), anchor, body });
    return null;
  } catch (error) {
    if (isRefusal(error) && ['bad-request', 'not-found', 'conflict'].includes(error.code)) return error.message;
    throw error;
  }
}

interface Given {
  /** names made from it are the same when the same file comes again */
  from: string;
  groups: readonly { name: string; members: readonly string[] }[];
  labels: readonly { anchor: string; text: string }[];
}

async function writeToBoard(
  app: App,
  member: Member,
  { from, groups, labels }: Given,
): Promise<Pick<ImportReport, 'groups' | 'labels' | 'left'>> {
  const left: ImportReport['left'] = [];
  const fitting = groups.flatMap(({ name, members }, index): Group[] => {
    const known = members.filter((one) => isModelAnchor(one));
    const unknown = members.length - known.length;
    if (unknown > 0) left.push({ id: name, why: `${unknown} of its members are no paths, edges or nodes` });
    const id = `imported-${hashOf([from, name, ...members].join('\0'))}`;
    if (known.length === 0) return [];
    return [
      {
        id,
        name: name.trim().slice(0, LIMITS.groupName) || `Mechanism ${index + 1}`,
        members: known.slice(0, LIMITS.members),
        createdAt: app.now(),
      },
    ];
  });
  const wanted = labels.filter(({ anchor, text }) => {
    const fits = isNameAnchor(anchor) && text.trim() !== '' && text.trim().length <= LIMITS.label;
    if (!fits) left.push({ id: anchor, why: 'a label hangs on a path, edge, node or feature and has at most 200 characters' });
    return fits;
  });
  if (fitting.length === 0 && wanted.length === 0) return { groups: 0, labels: 0, left };
  const added = await app.rooms.use({ kind: 'board', boardId: member.boardId }, (room) =>
    room.edit((doc) => {
      const there = new Set(readLabels(doc).records.map(({ anchor, text }) => `${anchor}\0${text}`));
      const fresh = wanted.filter(({ anchor, text }) => !there.has(`${anchor}\0${text.trim()}`));
      for (const { anchor, text } of fresh) addLabel(doc, anchor, text, app.now());
      for (const group of fitting) putGroup(doc, group);
      return fresh.length;
    }),
  );
  return { groups: fitting.length, labels: added, left };
}

type Kept = Pick<ImportedGraph, 'format' | 'name' | 'nodes' | 'links'> & { graph: unknown };

async function keepGraph(app: App, member: Member, { name, ...kept }: Kept): Promise<string> {
  const id = newId();
  const { boardId, id: authorId, name: authorName } = member;
  const there = await app.db.$count(importedGraphs, eq(importedGraphs.boardId, boardId));
  if (there >= GRAPHS) throw new Refusal('too-large', 'graphs', `at most ${GRAPHS} on a board: remove one first`, `${there + 1}`);
  const row = { id, boardId, name: name.replaceAll('\0', '\uFFFD').slice(0, 200), authorId, authorName, createdAt: app.now(), ...kept };
  await app.db.insert(importedGraphs).values(row);
  return id;
}

/** Newest first. */
export async function listImportedGraphs(app: App, person: Person, boardId: string): Promise<ImportedGraph[]> {
  await authorise(app, person, 'board.read', boardId);
  const { id, name, format, nodes, links, authorName, createdAt } = importedGraphs;
  return app.db
    .select({ id, name, format, nodes, links, author: authorName, createdAt })
    .from(importedGraphs)
    .where(eq(importedGraphs.boardId, boardId))
    .orderBy(desc(createdAt), desc(id));
}

/** As it came. */
export async function findImportedGraph(app: App, person: Person, boardId: string, graphId: string): Promise<unknown> {
  await authorise(app, person, 'board.read', boardId);
  const [row] = await app.db
    .select({ graph: importedGraphs.graph })
    .from(importedGraphs)
    .where(and(eq(importedGraphs.id, graphId), eq(importedGraphs.boardId, boardId)));
  if (row) return row.graph;
  throw noGraph(graphId);
}

/** What was made of it on the board stays. */
export async function removeImportedGraph(app: App, person: Person, boardId: string, graphId: string): Promise<void> {
  await authorise(app, person, 'board.edit', boardId);
  const gone = await app.db
    .delete(importedGraphs)
    .where(and(eq(importedGraphs.id, graphId), eq(importedGraphs.boardId, boardId)))
    .returning({ id: importedGraphs.id });
  if (gone.length === 0) throw noGraph(graphId);
}

function noGraph(id: string): Refusal {
  return new Refusal('not-found', 'graph', 'one that was brought to this board', JSON.stringify(id));
}

async function readBoard({ rooms }: App, boardId: string) {
  return rooms.use({ kind: 'board', boardId }, (room) =>
    room.read((doc) => {
      const setup: Setup | null = readSetup(doc);
      if (!setup) throw new Refusal('conflict', 'board', 'a setup with model and prompt', 'a document in which it is missing or broken');
      return { setup, title: readTitle(doc), labels: readLabels(doc).records, groups: readGroups(doc).records };
    }),
  );
}

async function readTalk({ rooms }: App, boardId: string) {
  return rooms.use({ kind: 'discussion', boardId }, (room) =>
    room.read((doc) => {
      const [comments, evidence] = [readComments(doc).records, readEvidence(doc).records];
      return {
        threads: readThreads(doc).records.map((thread) => ({
          thread,
          comments: comments.filter(({ threadId }) => threadId === thread.id),
        })),
        claims: readClaims(doc).records.map((claim) => ({ claim, evidence: evidence.filter(({ claimId }) => claimId === claim.id) })),
      };
    }),
  );
}

async function modelOf(app: App, hash: string) {
  const model = (await app.models.list()).find((one) => one.hash === hash);
  if (model) return model;
  throw new Refusal('not-found', 'model', 'the one that has just answered', hash);
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 20);
}

/** Made of what it stands for, so that the same thing brought in again is the same entry. */
function uuidOf(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex');
  const variant = ((Number.parseInt(hex[16]!, 16) & 3) | 8).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
