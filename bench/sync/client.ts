import type * as Y from 'yjs';
import type { Label } from '../../lib/board/records.ts';
import type { Filled, Made, Plan, Received, Window } from './generator.ts';
import { clock } from './peers/probe.mjs';
import { Samples } from './samples.ts';
import type { Tab } from './tab.ts';

/** Milliseconds between two edits of a writer, and between two selections of whoever moves. */
const EDIT_EVERY = 500;
const MOVE_EVERY = 1000;
const ANCHOR = 'input->a0.h3->a1.h5->logits';
/** Bytes of one update of {@link Client.addLabels}: below what a server takes in one message. */
const PORTION = 400_000;

const same = new Samples();
const across = new Samples();
const saved = new Samples();
let presence = 0;

/** A person with a board open, who may edit and move. An edit is a label under a key of its own, so that none is counted for another. */
export class Client {
  edits = 0;
  readonly labels: Y.Map<Label>;
  private window: Window | null = null;
  /** when the updates that are not yet acknowledged were made */
  private readonly unsaved: number[] = [];
  private acknowledged = 0;

  constructor(
    readonly plan: Plan,
    readonly tab: Tab,
  ) {
    this.labels = tab.doc.getMap('labels');
    tab.awareness.setLocalState({ user: { ...plan.person, color: '#3b6fb6' }, selection: null });
    tab.doc.on('update', (_update: Uint8Array, _origin: unknown, _doc: Y.Doc, transaction: Y.Transaction) => this.receive(transaction));
    tab.awareness.on('change', ({ added, updated, removed }: Record<'added' | 'updated' | 'removed', number[]>, origin: unknown) => {
      if (origin !== 'local' && this.window) presence += added.length + updated.length + removed.length;
    });
    tab.onPersisted = (count) => this.acknowledge(count);
  }

  work(window: Window): void {
    this.window = window;
    if (this.plan.writes) this.every(EDIT_EVERY, () => this.edit());
    if (this.plan.moves) this.every(MOVE_EVERY, (turn) => this.move(turn));
  }

  /** How many edits of others, in this room, have not come. */
  lacking(made: readonly Made[]): number {
    let lacking = 0;
    for (const { instance, index, room, edits } of made) {
      if (room !== this.plan.room) continue;
      for (let edit = 0; edit < edits; edit++) if (!this.labels.has(keyOf(instance, index, edit))) lacking += 1;
    }
    return lacking;
  }

  due(made: readonly Made[]): number {
    const others = made.filter(({ index, room }) => room === this.plan.room && index !== this.plan.index);
    return others.reduce((total, { edits }) => total + edits, 0);
  }

  /** Adds labels of 200 characters until all that was filled in is `bytes` long. */
  addLabels(filled: Filled, bytes: number): void {
    this.tab.doc.on('update', (update: Uint8Array, _origin: unknown, _doc: Y.Doc, { local }: Y.Transaction) => {
      if (local) filled.bytes += update.length;
    });
    while (filled.bytes < bytes) {
      this.tab.doc.transact(() => {
        for (let end = filled.labels + PORTION / 400; filled.labels < end; filled.labels++) {
          const id = `fill.${filled.labels}`;
          this.labels.set(id, { id, anchor: ANCHOR, text: id.padEnd(200, ' .'), createdAt: 0 });
        }
      });
    }
  }

  static results(clients: readonly Client[]): Omit<Received, 'undelivered' | 'expected'> {
    const results = { same: same.take(), across: across.take(), saved: saved.take(), presence, losses: 0 };
    for (const { tab } of clients) results.losses += tab.losses;
    presence = 0;
    return results;
  }

  /** At a steady rate from a moment of its own, however late single turns are. */
  private every(pause: number, act: (turn: number) => void): void {
    const { from, to } = this.window!;
    let at = from + Math.random() * pause;
    let turn = 0;
    const go = () => {
      act(turn++);
      at += pause;
      if (at < to) setTimeout(go, Math.max(0, at - clock()));
    };
    setTimeout(go, at - clock());
  }

  private edit(): void {
    const id = keyOf(this.plan.instance, this.plan.index, this.edits);
    this.edits += 1;
    const at = clock();
    this.unsaved.push(at);
    this.labels.set(id, { id, anchor: ANCHOR, text: `moves the name to the end, ${this.edits}`, createdAt: at });
  }

  private move(turn: number): void {
    this.tab.awareness.setLocalStateField('selection', `input->a0.h${turn % 8}->a1.h${this.plan.index % 8}->logits`);
  }

  private receive(transaction: Y.Transaction): void {
    if (transaction.local || this.window === null) return;
    const now = clock();
    for (const key of transaction.changed.get(this.labels as never) ?? []) {
      const label = key === null ? undefined : this.labels.get(key);
      if (label === undefined || !this.counts(label.createdAt)) continue;
      (key!.startsWith(`${this.plan.instance}.`) ? same : across).push(now - label.createdAt);
    }
  }

  /** The first update of a connection is the answer to the server's question what we have. */
  private acknowledge(count: number): void {
    const now = clock();
    for (const end = Math.max(0, count - 1); this.acknowledged < end; this.acknowledged++) {
      const at = this.unsaved.shift();
      if (at !== undefined && this.counts(at)) saved.push(now - at);
    }
  }

  private counts(at: number): boolean {
    return this.window !== null && at >= this.window.measureFrom && at < this.window.to;
  }
}

function keyOf(instance: number, index: number, edit: number): string {
  return `${instance}.${index}.${edit}`;
}
