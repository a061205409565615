import * as Y from 'yjs';
import { BOARD_MAPS, EDIT, readSetup } from './board-doc.ts';

/** Takes back and repeats one person's own edits of a board, one at a time; what others did stays. */
export class Undo {
  readonly #manager: Y.UndoManager;

  constructor(private readonly doc: Y.Doc) {
    this.#manager = new Y.UndoManager(
      BOARD_MAPS.map((map) => doc.getMap(map)),
      { trackedOrigins: new Set([EDIT]), captureTimeout: 0 },
    );
  }

  /** Whether there is something to take back, and to repeat. */
  get state(): { undo: boolean; redo: boolean } {
    return { undo: this.#manager.canUndo(), redo: this.#manager.canRedo() };
  }

  subscribe = (listener: () => void): (() => void) => {
    const events = ['stack-item-added', 'stack-item-popped', 'stack-cleared'] as const;
    for (const event of events) this.#manager.on(event, listener);
    return () => {
      for (const event of events) this.#manager.off(event, listener);
    };
  };

  undo(): void {
    this.#keepingSetup(() => this.#manager.undo());
  }

  redo(): void {
    this.#keepingSetup(() => this.#manager.redo());
  }

  destroy(): void {
    this.#manager.destroy();
  }

  /** Where two people set it at the same time, taking one back would leave none, and a board without one cannot be shown. */
  #keepingSetup(change: () => void): void {
    const setup = readSetup(this.doc);
    change();
    if (setup && !readSetup(this.doc)) this.doc.getMap('meta').set('setup', setup);
  }
}
