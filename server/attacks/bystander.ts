import { performance } from 'node:perf_hooks';
import { until, type Actor, type Client, type World } from '../testing/world.ts';

/** Milliseconds between one edit's arrival and the next edit. */
const PAUSE = 20;

/** Two people at work on a board that nobody attacks: how long an edit of one takes to be seen by the other. */
export class Bystander {
  private edits = 0;
  private seen = 0;

  private constructor(
    private readonly writer: Client,
    private readonly reader: Client,
  ) {
    reader.labels.observe(() => {
      const value = reader.labels.get('pulse');
      if (typeof value === 'number') this.seen = value;
    });
  }

  static async on(world: World, owner: Actor): Promise<Bystander> {
    const id = await world.board(owner);
    const [writer, reader] = [world.connect(owner, `board/${id}`), world.connect(owner, `board/${id}`)] as const;
    await Promise.all([writer.synced(), reader.synced()]);
    return new Bystander(writer, reader);
  }

  /** Edits again and again while `work` goes on, and once more afterwards; the longest wait, in milliseconds. */
  async during(work: () => Promise<void>): Promise<number> {
    let working = true;
    const done = work().finally(() => (working = false));
    // Whatever happens, the attack is waited for; its failure is reported below.
    done.catch(() => {});
    let longest = 0;
    do {
      longest = Math.max(longest, await this.edit());
      await new Promise((resume) => setTimeout(resume, PAUSE));
    } while (working);
    longest = Math.max(longest, await this.edit());
    await done;
    return longest;
  }

  get disturbed(): string | null {
    const closed = this.writer.closed ?? this.reader.closed;
    return closed && `${closed.code} ${closed.reason}`;
  }

  private async edit(): Promise<number> {
    const edit = ++this.edits;
    const begun = performance.now();
    let arrived = 0;
    const hear = () => {
      if (this.reader.labels.get('pulse') === edit) arrived ||= performance.now();
    };
    this.reader.labels.observe(hear);
    this.writer.labels.set('pulse', edit);
    await until(() => this.seen >= edit, 60_000);
    this.reader.labels.unobserve(hear);
    return arrived - begun;
  }
}
