import { readFile } from 'node:fs/promises';
import { EngineError } from '../../lib/engine/index.ts';
import { exportFormat, type ImportReport } from '../../lib/wire.ts';
import { exportBoard, importToBoard } from '../interchange.ts';
import { fromCaller, needed, type Command } from './options.ts';
import { print, write } from './output.ts';
import { through } from './through.ts';

/** Files of other tools, out of a board and into it. */

const BOARD = 'the id of a board (pathboard boards lists them)';

/** The file itself on standard output; with --json it is one string of the answer. */
export async function exporting({ home, words: [board], values }: Command): Promise<void> {
  const boardId = needed('export', board, BOARD);
  const format = exportFormat.safeParse(values.format);
  if (!format.success)
    throw new EngineError('bad-request', '--format', exportFormat.options.join(', '), JSON.stringify(values.format ?? ''));
  const body = await through(
    home,
    (server) => server.text('GET', `/api/boards/${encodeURIComponent(boardId)}/export?format=${format.data}`),
    async (app, owner) => (await exportBoard(app, owner, boardId, format.data, {})).body,
  );
  write(values.json ? JSON.stringify({ format: format.data, body }) : body.trimEnd());
}

export async function importingGraph({ home, words: [path], values }: Command): Promise<void> {
  const name = needed('import-graph', path, 'a file: an attribution graph, an EAP-IG graph or web annotations');
  const boardId = needed('--board', values.board, BOARD);
  const file = parsed(await contentOf(name), name);
  const report = await through(
    home,
    (server) => server.ask<ImportReport>('POST', `/api/boards/${encodeURIComponent(boardId)}/import`, file),
    (app, owner) => importToBoard(app, owner, boardId, file),
  );
  const { format, groups, labels, comments, left } = report;
  print(report, values, () => [
    `${format}: ${groups} mechanisms, ${labels} labels, ${comments} comments`,
    ...left.map(({ id, why }) => `left out: ${id}: ${why}`),
  ]);
}

async function contentOf(name: string): Promise<string> {
  return readFile(fromCaller(name), 'utf8').catch((cause: Error) => {
    throw new EngineError('bad-request', name, 'a file that can be read', cause.message, { cause });
  });
}

function parsed(text: string, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new EngineError('bad-request', name, 'JSON', (cause as Error).message, { cause });
  }
}
