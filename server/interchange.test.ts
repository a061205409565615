import { afterAll, beforeAll, expect, test } from 'vitest';
import { addLabel, putGroup, readGroups, readLabels } from '../lib/board/board-doc.ts';
import { readComments, readThreads } from '../lib/board/discussion-doc.ts';
import type { AttributionGraph } from '../lib/interchange/attribution-graph.ts';
import type { ExportFormat } from '../lib/wire.ts';
import { addClaim, addComment } from './discussion.ts';
import { exportBoard, findImportedGraph, importToBoard, listImportedGraphs, removeImportedGraph } from './interchange.ts';
import { openWorld, type Actor, type World } from './testing/world.ts';

/** Files that leave a board for other tools, and that come from them. */

let world: World;
let owner: Actor;
let guest: Actor;
let board: string;
let other: string;

beforeAll(async () => {
  world = await openWorld();
  owner = await world.owner();
  board = await world.board(owner);
  other = await world.board(owner);
  guest = await world.guest(board, 'Grace');
  await edit((doc) => {
    addLabel(doc, 'a0.h0', 'copies', 0);
    putGroup(doc, { id: 'group-00001', name: 'Direct', members: ['input->logits'], createdAt: 0 });
  });
  await addComment(world.app, guest.person, board, { id: crypto.randomUUID(), anchor: 'a0.h0', body: 'why?' });
  await addComment(world.app, guest.person, board, { id: crypto.randomUUID(), anchor: 'group:group-00001', body: 'of what?' });
  await addClaim(world.app, owner.person, board, { id: crypto.randomUUID(), anchor: null, text: 'It is exact, "here".' });
});
afterAll(() => world.stop());

const edit = (change: Parameters<typeof putGroup>[0] extends infer Doc ? (doc: Doc) => unknown : never) =>
  world.app.rooms.use({ kind: 'board', boardId: board }, (room) => room.edit((doc) => void change(doc)));
const exported = async (format: ExportFormat) => (await exportBoard(world.app, owner.person, board, format, {})).body;
const on = (boardId: string) =>
  world.app.rooms.use({ kind: 'board', boardId }, (room) =>
    room.read((doc) => ({
      labels: readLabels(doc).records.map(({ anchor, text }) => [anchor, text]),
      groups: readGroups(doc).records.map(({ name, members }) => [name, members]),
    })),
  );
const said = (boardId: string) =>
  world.app.rooms.use({ kind: 'discussion', boardId }, (room) =>
    room.read((doc) => {
      const anchors = new Map(readThreads(doc).records.map(({ id, anchor }) => [id, anchor]));
      return readComments(doc).records.map(({ threadId, author, body }) => [anchors.get(threadId), author.name, body]);
    }),
  );

test('a board’s graph brings its mechanisms and labels to another board, once, and is kept there as what it is', async () => {
  const graph = JSON.parse(await exported('attribution-graph')) as AttributionGraph;
  expect(graph.qParams.supernodes).toEqual([['Direct', 'E_input_2', '3_7_2']]);
  const report = await importToBoard(world.app, owner.person, other, graph);
  expect(report).toMatchObject({ format: 'attribution-graph', groups: 1, labels: 1, comments: 0, left: [] });
  const after = { labels: [['a0.h0', 'copies']], groups: [['Direct', ['input->logits']]] };
  expect(await on(other)).toEqual(after);
  await importToBoard(world.app, owner.person, other, graph);
  expect(await on(other)).toEqual(after);
  const kept = await listImportedGraphs(world.app, owner.person, other);
  expect(kept).toMatchObject([
    { format: 'attribution-graph', name: 'when-mary', nodes: graph.nodes.length, links: graph.links.length, author: 'Owner' },
    { format: 'attribution-graph' },
  ]);
  expect(await findImportedGraph(world.app, owner.person, other, kept[0]!.id)).toEqual(graph);
  await expect(findImportedGraph(world.app, owner.person, board, kept[0]!.id)).rejects.toMatchObject({ code: 'not-found' });
  await removeImportedGraph(world.app, owner.person, other, kept[0]!.id);
  expect(await listImportedGraphs(world.app, owner.person, other)).toHaveLength(1);
  expect(await on(other)).toEqual(after);
});

test('an EAP-IG graph becomes a mechanism of its edges', async () => {
  const place = await world.board(owner);
  const graph = JSON.parse(await exported('eap')) as { edges: Record<string, { score: number }> };
  expect(graph).toMatchObject({ cfg: { n_layers: 2, n_heads: 1, d_model: 4 }, edges: { 'input->logits': { score: 0.5, in_graph: true } } });
  expect(await importToBoard(world.app, owner.person, place, graph)).toMatchObject({ format: 'eap', groups: 1, left: [] });
  expect((await on(place)).groups).toEqual([['EAP-IG circuit', ['input->logits']]]);
});

test('annotations bring labels and comments, which are under the name of who brings them and say whose they were', async () => {
  const place = await world.board(owner);
  const editor = await world.guest(place, 'Edith');
  const file: unknown = JSON.parse(await exported('annotations'));
  const report = await importToBoard(world.app, editor.person, place, file);
  expect(report).toMatchObject({ format: 'annotations', graphId: null, labels: 1, comments: 1 });
  expect(report.left.map(({ why }) => why)).toEqual(['its target is no path, edge, node or token', expect.stringContaining('group')]);
  const words = `*Imported by Edith from ${world.app.config.publicUrl}/boards/${board}, written there under the name Grace:*\n\nwhy?`;
  expect(await said(place)).toEqual([['a0.h0', 'Edith', words]]);
  // The same file again changes nothing.
  await importToBoard(world.app, editor.person, place, file);
  expect([await said(place), (await on(place)).labels]).toEqual([[['a0.h0', 'Edith', words]], [['a0.h0', 'copies']]]);
});

test.each<[ExportFormat, string]>([
  ['paths', 'name,degree,value (logits)\r\n'],
  ['labels', 'anchor,label,created\r\na0.h0,copies,1970-01-01T00:00:00.000Z\r\n'],
  ['claims', '"It is exact, ""here"".",'],
  ['stances', 'claim,person,stance,reason,time\r\n'],
  ['evidence', 'id,claim,predicate,verdict,compared,'],
])('%s are a table', async (format, part) => {
  expect(await exported(format)).toContain(part);
});

test.each<[unknown, string]>([
  [{ some: 'thing' }, 'file: expected an attribution graph'],
  [7, 'file: expected an attribution graph'],
  [{ nodes: [], links: [] }, 'attribution graph: metadata: expected an object'],
  [{ cfg: {}, edges: {} }, 'EAP-IG graph: cfg.n_layers'],
])('%j is refused, and changes nothing', async (file, message) => {
  const before = await on(board);
  await expect(importToBoard(world.app, owner.person, board, file)).rejects.toThrow(message);
  expect([await on(board), await listImportedGraphs(world.app, owner.person, board)]).toEqual([before, []]);
});

test.each<[string, (deep: unknown) => unknown]>([
  ['whatever it is', (deep) => ({ deep })],
  ['annotations', (deep) => [deep]],
  ['a graph', (deep) => ({ metadata: { slug: 's', scan: 's', prompt: '', prompt_tokens: [] }, qParams: {}, nodes: [], links: [], deep })],
])('a file that is nested too deep is refused: %s', async (_, around) => {
  const file = around(JSON.parse(`${'['.repeat(100_000)}${']'.repeat(100_000)}`));
  const refused = { code: 'bad-request', message: expect.stringContaining('at most 64 lists and objects in each other') as string };
  await expect(importToBoard(world.app, owner.person, board, file)).rejects.toMatchObject(refused);
});

test('a board keeps so many graphs from elsewhere and no more', async () => {
  const place = await world.board(owner);
  const graph = JSON.parse(await exported('eap')) as unknown;
  for (let count = 0; count < 50; count++) await importToBoard(world.app, owner.person, place, graph);
  await expect(importToBoard(world.app, owner.person, place, graph)).rejects.toMatchObject({ code: 'too-large' });
  const [newest] = await listImportedGraphs(world.app, owner.person, place);
  await removeImportedGraph(world.app, owner.person, place, newest!.id);
  await importToBoard(world.app, owner.person, place, graph);
  expect(await listImportedGraphs(world.app, owner.person, place)).toHaveLength(50);
});
