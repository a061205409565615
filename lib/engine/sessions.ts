import type { Graph } from './onnx.ts';
import type { FloatTensor, Runtime, Session, Tensor } from './runtime.ts';

interface Opened {
  session: Promise<Session>;
  running: number;
  /** of its weights, on disk */
  bytes: number;
}

/** The graphs of one runtime, opened when they are first needed and kept, the least recently used closed first. */
export class Sessions {
  readonly #opened = new Map<string, Opened>();

  /** @param most sessions kept open; each has threads of its own */
  constructor(
    readonly runtime: Runtime,
    readonly most: number,
  ) {}

  /** Runs the graph of that name, which `make` writes when it is first asked for or was closed since. */
  async run(
    name: string,
    make: () => Graph,
    feeds: Record<string, Tensor | null>,
    into?: Record<string, FloatTensor>,
  ): Promise<Record<string, FloatTensor>> {
    const opened = this.#opened.get(name) ?? this.#open(make());
    this.#opened.delete(name);
    this.#opened.set(name, opened);
    opened.running++;
    try {
      const session = await opened.session;
      const present = Object.entries(feeds).filter((entry): entry is [string, Tensor] => entry[1] !== null);
      return await session.run(Object.fromEntries(present), into);
    } finally {
      opened.running--;
    }
  }

  async close(): Promise<void> {
    const sessions = [...this.#opened.values()];
    this.#opened.clear();
    await Promise.all(sessions.map(async ({ session }) => (await session).close()));
  }

  #open(graph: Graph): Opened {
    const bytes = [...graph.weights.values()].reduce((sum, { length }) => sum + length, 0);
    const closed = this.#closeLeastUsed(bytes);
    // What is closed frees its place before the next takes it.
    const session = closed.length === 0 ? this.runtime.open(graph) : Promise.all(closed).then(() => this.runtime.open(graph));
    session.catch(() => this.#opened.delete(graph.name));
    return { session, running: 0, bytes };
  }

  /** Makes room for one more session by closing idle ones. */
  #closeLeastUsed(bytes: number): Promise<void>[] {
    const closed: Promise<void>[] = [];
    const { room = Infinity } = this.runtime;
    let held = [...this.#opened.values()].reduce((sum, opened) => sum + opened.bytes, bytes);
    for (const [name, opened] of this.#opened) {
      if (this.#opened.size < this.most && held <= room) break;
      if (opened.running > 0) continue;
      this.#opened.delete(name);
      held -= opened.bytes;
      closed.push(opened.session.then((session) => session.close()).catch(() => {}));
    }
    return closed;
  }
}
