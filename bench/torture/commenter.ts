import type * as Y from 'yjs';
import { readComments, readThreads } from '../../lib/board/discussion-doc.ts';
import type { Comment } from '../../lib/board/records.ts';
import type { Random } from '../../server/testing/random.ts';

interface CommenterOptions {
  boardId: string;
  cookie: string;
  /** `http://127.0.0.1:PORT` of the server that the next request reaches */
  origin: () => string;
  random: Random;
}

interface Entry {
  body: string;
  /** what the server has said yes to */
  promised: 'nothing' | 'kept' | 'gone';
  /** a request to remove it was sent, and may have been heard */
  removing: boolean;
}

/** Milliseconds: a server that was killed does not answer. */
const PATIENCE = 3000;
const PAUSE = 60;
const ANCHORS = ['a0.h0', 'a1.h0', 'a0.h0->logits'];

/**
 * Somebody who takes part in a discussion. Ids are made here, and a request is sent again until the server
 * answers, sometimes twice at once: each must be applied exactly once. What was deleted must be gone.
 */
export class Commenter {
  readonly faults: string[] = [];
  readonly entries = new Map<string, Entry>();
  #stopped = false;

  constructor(private readonly options: CommenterOptions) {}

  /** Adds a comment, or removes one of those that are there. Resolves when the server has answered. */
  async act(): Promise<void> {
    const { random } = this.options;
    const kept = [...this.entries].filter(([, { promised, removing }]) => promised === 'kept' && !removing);
    if (kept.length > 0 && random.chance(0.25)) await this.#remove(...random.pick(kept));
    else await this.#add();
  }

  /** No request is sent again from now on. */
  stop(): void {
    this.#stopped = true;
  }

  async #add(): Promise<void> {
    const { random } = this.options;
    const id = crypto.randomUUID();
    const body = `words ${id}`;
    const entry: Entry = { body, promised: 'nothing', removing: false };
    this.entries.set(id, entry);
    const answer = await this.#insist(() => this.#send('POST', '', { id, anchor: random.pick(ANCHORS), body }));
    if (answer === 200) entry.promised = 'kept';
    else if (answer !== null) this.faults.push(`comment ${id}: expected it to be taken, got status ${answer}`);
  }

  async #remove(id: string, entry: Entry): Promise<void> {
    entry.removing = true;
    let attempts = 0;
    const answer = await this.#insist(() => {
      attempts += 1;
      return this.#send('DELETE', `/${id}`);
    });
    // 404: an attempt before, of which no answer came, was heard.
    if (answer === 204 || (answer === 404 && attempts > 1)) entry.promised = 'gone';
    else if (answer !== null) this.faults.push(`comment ${id}: expected it to be deleted, got status ${answer}`);
  }

  /** Asks until it is answered. Null where it was told to stop before. */
  async #insist(ask: () => Promise<number>): Promise<number | null> {
    while (!this.#stopped) {
      const answer = await ask().catch(() => 0);
      // 5xx says nothing about whether it was done.
      if (answer >= 200 && answer < 500 && answer !== 429) return answer;
      await new Promise((done) => setTimeout(done, PAUSE));
    }
    return null;
  }

  async #send(method: string, path: string, body?: unknown): Promise<number> {
    const { boardId, cookie, origin, random } = this.options;
    const request = async () => {
      const to = origin();
      const response = await fetch(`${to}/api/boards/${boardId}/comments${path}`, {
        method,
        headers: { cookie, origin: to, 'content-type': 'application/json' },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(PATIENCE),
      });
      await response.arrayBuffer();
      return response.status;
    };
    if (method !== 'POST' || !random.chance(0.2)) return request();
    const [first, second] = await Promise.all([request(), request()]);
    return Math.max(first, second);
  }

  /** What was promised until now, to be looked for in what is read from now on: a line for each that is not so. */
  promise(): (doc: Y.Doc) => string[] {
    const promises = [...this.entries].map(([id, { promised }]) => ({ id, promised }));
    return (doc) => {
      const comments = new Map(readComments(doc).records.map((comment) => [comment.id, comment]));
      return promises.flatMap(({ id, promised }) => this.#broken(id, promised, comments.get(id)));
    };
  }

  #broken(id: string, promised: Entry['promised'], comment: Comment | undefined): string[] {
    const { body, removing } = this.entries.get(id)!;
    if (promised === 'gone' && comment) return [`comment ${id}: expected it to be gone, got it`];
    // Since then its removal may have begun.
    if (promised === 'kept' && !removing && !comment) return [`comment ${id}: expected it to be there, got none`];
    if (comment && comment.body !== body) return [`comment ${id}: expected ${body}, got ${comment.body}`];
    return [];
  }

  /** Words that must be nowhere any more. */
  get forgotten(): string[] {
    return [...this.entries.values()].filter(({ promised }) => promised === 'gone').map(({ body }) => body);
  }
}

/** What no discussion may hold, whoever wrote it: a line each. */
export function flawsOf(doc: Y.Doc, commenters: readonly Commenter[]): string[] {
  const known = new Set(commenters.flatMap(({ entries }) => [...entries.keys()]));
  const threads = readThreads(doc).records;
  const comments = readComments(doc).records;
  const ids = new Set(threads.map(({ id }) => id));
  const anchors = new Set(threads.map(({ anchor }) => anchor));
  return [
    ...comments.filter(({ id }) => !known.has(id)).map(({ id }) => `comment ${id}: nobody wrote it`),
    ...comments.filter(({ threadId }) => !ids.has(threadId)).map(({ id }) => `comment ${id}: expected its thread, got none`),
    ...(anchors.size === threads.length ? [] : [`threads: expected one for each anchor, got ${threads.length} for ${anchors.size}`]),
  ];
}
