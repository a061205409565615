import { route } from '@/server/http.ts';
import { findImportedGraph, removeImportedGraph } from '@/server/interchange.ts';

export const GET = route<{ boardId: string; importId: string }>(async ({ app, person, params: { boardId, importId } }) =>
  findImportedGraph(app, person, boardId, importId),
);

export const DELETE = route<{ boardId: string; importId: string }>(async ({ app, person, params: { boardId, importId } }) =>
  removeImportedGraph(app, person, boardId, importId),
);
