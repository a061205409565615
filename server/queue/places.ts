import { PLACES, cancelledError, type Job } from './job.ts';

/** What decides who comes next. */
export type Asking = Pick<Job, 'person' | 'urgency' | 'long'>;

interface Held extends Asking {
  /** in rounds: everybody's first job comes before anybody's second */
  turn: number;
}

interface Waiting extends Held {
  go(): void;
}

/**
 * The places of one worker, and who waits for them: what is interactive before batches, then round and round between
 * people, then in the order in which it came. Machines that share a database decide by the same rule: see jobs.ts.
 */
export class Places {
  readonly #running = new Set<Held>();
  readonly #waiting: Waiting[] = [];

  constructor(readonly count: number = PLACES) {}

  get running(): number {
    return this.#running.size;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Whether one of that length could start at once, were it the next. */
  hasRoom(long: boolean): boolean {
    return this.running < this.count && (!long || this.#longRunning() < this.count - 1);
  }

  /** Waits for its turn. Call what it resolves to when the place is free again. @throws EngineError `cancelled` */
  take(asking: Asking, signal?: AbortSignal): Promise<() => void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(cancelledError());
      const leave = () => {
        this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
        reject(cancelledError());
      };
      const waiting: Waiting = {
        ...asking,
        turn: this.#nextTurn(asking),
        go: () => {
          signal?.removeEventListener('abort', leave);
          this.#running.add(waiting);
          resolve(() => {
            this.#running.delete(waiting);
            this.#admit();
          });
        },
      };
      this.#waiting.push(waiting);
      signal?.addEventListener('abort', leave, { once: true });
      this.#admit();
    });
  }

  /** After the person's own last one, and not before the round that the others have come to. */
  #nextTurn({ person, urgency }: Asking): number {
    const alike = (jobs: Iterable<Held>) => [...jobs].filter((job) => job.urgency === urgency);
    const [waiting, running] = [alike(this.#waiting), alike(this.#running)];
    const own = [...waiting, ...running].filter((job) => job.person === person).map(({ turn }) => turn + 1);
    const round = waiting.length > 0 ? Math.min(...waiting.map(({ turn }) => turn)) : Math.max(0, ...running.map(({ turn }) => turn));
    return Math.max(round, ...own);
  }

  #admit(): void {
    for (;;) {
      const [next] = this.#waiting.filter(({ long }) => this.hasRoom(long)).sort(before);
      if (!next) return;
      this.#waiting.splice(this.#waiting.indexOf(next), 1);
      next.go();
    }
  }

  #longRunning(): number {
    return [...this.#running].filter(({ long }) => long).length;
  }
}

/** Sorting keeps the order of what is equal. */
function before(a: Held, b: Held): number {
  if (a.urgency !== b.urgency) return a.urgency === 'interactive' ? -1 : 1;
  return a.turn - b.turn;
}
