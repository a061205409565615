import * as Y from 'yjs';
import { invalid, isWaiting } from './legality.ts';

/**
 * A copy of a document on which changes are tried before they are stored. It is what will be in the log when all
 * that was tried is; where some of it will not be, it is made anew.
 */
export class Scratch {
  private made: Y.Doc | null = null;
  /** what the copy emitted since the last change began */
  private emitted: Uint8Array[] = [];
  /** the map whose values lists of boards show was changed, since this was last set to false */
  isRetitled = true;
  /** It holds part of what did not apply, and must be made anew. */
  isBroken = false;

  /** `source` gives all of the document that is copied, once there is something to try. */
  constructor(private readonly source: () => Uint8Array) {}

  get doc(): Y.Doc {
    return (this.made ??= this.make([]));
  }

  /** How many changes of a client it holds. */
  clockOf(client: number): number {
    return Y.getState(this.doc.store, client);
  }

  /** Applies a client's update and gives what of it was new, or null. Throws a Violation where it does not apply, and is broken then. */
  try(update: Uint8Array): Uint8Array | null {
    this.emitted = [];
    try {
      Y.applyUpdate(this.doc, update);
    } catch {
      this.isBroken = true;
      throw invalid('an update that cannot be applied');
    }
    this.isBroken = isWaiting(this.doc);
    if (this.isBroken) throw invalid('an update that refers to itself');
    return this.takeNews();
  }

  /** Makes a change and gives what it was, or null. */
  change<T>(change: (doc: Y.Doc) => T): { result: T; news: Uint8Array | null } {
    const { doc } = this;
    this.emitted = [];
    const result = doc.transact(() => change(doc));
    return { result, news: this.takeNews() };
  }

  /** Whether a change that threw left something behind. */
  get isDirty(): boolean {
    return this.emitted.length > 0;
  }

  /** What is in the log anyway. */
  follow(update: Uint8Array): void {
    if (this.made) Y.applyUpdate(this.made, update);
    this.emitted = [];
  }

  /** From the start again; `tried` is what is about to be stored. */
  renew(tried: readonly Uint8Array[]): void {
    this.destroy();
    this.isBroken = false;
    // What was tried before may not have been stored.
    this.isRetitled = true;
    if (tried.length > 0) this.made = this.make(tried);
  }

  destroy(): void {
    this.made?.destroy();
    this.made = null;
  }

  private takeNews(): Uint8Array | null {
    const [first = null, ...others] = this.emitted;
    this.emitted = [];
    return first && others.length > 0 ? Y.mergeUpdates([first, ...others]) : first;
  }

  private make(tried: readonly Uint8Array[]): Y.Doc {
    const doc = new Y.Doc();
    for (const update of [this.source(), ...tried]) Y.applyUpdate(doc, update);
    this.emitted = [];
    doc.on('update', (update: Uint8Array) => this.emitted.push(update));
    doc.getMap('meta').observe(() => (this.isRetitled = true));
    return doc;
  }
}
