import { EngineError } from '../engine/index.ts';

interface Closable {
  model: { close(): Promise<void> };
}

interface Held<Hosted> {
  key: string;
  hosted: Promise<Hosted>;
  /** calls that wait for it or work with it */
  users: number;
  /** set once another one is wanted: called when the last user has gone */
  onUnused: (() => void) | null;
}

/** One model at a time, since a browser tab has little room: the next one is opened when nobody uses the last one and it is closed. */
export class OneModel<Hosted extends Closable> {
  #current: Held<Hosted> | null = null;

  /** Works with the model of that key, which `open` opens unless it is there or on its way. Who stops waits no more; others may. */
  async use<Result>(
    key: string,
    { open, signal }: { open: () => Promise<Hosted>; signal: AbortSignal },
    work: (hosted: Hosted) => Result | Promise<Result>,
  ): Promise<Result> {
    const held = this.#current?.key === key ? this.#current : this.#replace(key, open);
    held.users += 1;
    try {
      return await work(await orCancelled(held.hosted, signal));
    } finally {
      held.users -= 1;
      if (held.users === 0) held.onUnused?.();
    }
  }

  /** At once, so that two who ask for the same have one; what it takes comes afterwards. */
  #replace(key: string, open: () => Promise<Hosted>): Held<Hosted> {
    const before = this.#current && leave(this.#current);
    const opened = async () => {
      await before;
      // Another one may be wanted by now, and this one by nobody.
      if (this.#current !== held && held.users === 0) throw cancelled();
      return open();
    };
    const held: Held<Hosted> = { key, hosted: Promise.resolve().then(opened), users: 0, onUnused: null };
    this.#current = held;
    held.hosted.catch(() => {
      if (this.#current === held) this.#current = null;
    });
    return held;
  }
}

async function leave<Hosted extends Closable>(held: Held<Hosted>): Promise<void> {
  if (held.users > 0) {
    await new Promise<void>((done) => {
      held.onUnused = done;
    });
  }
  await held.hosted.then(({ model }) => model.close()).catch(() => {});
}

function orCancelled<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const stopped = new Promise<never>((_, reject) => {
    const stop = () => reject(cancelled());
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
  return Promise.race([work, stopped]);
}

function cancelled(): EngineError {
  return new EngineError('cancelled', 'analysis', 'to run to its end', 'a request to stop');
}
