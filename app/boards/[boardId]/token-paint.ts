import { useSyncExternalStore } from 'react';

/** A number for each token of the prompt, shown on the token strip while something is under the cursor. */
export interface Paint {
  /** what the numbers are of, in words */
  label: string;
  values: readonly number[];
}

/** Outside React's state, so that moving over rows renders the token strip alone. The last to paint wins. */
export class TokenPaint {
  #paint: Paint | null = null;
  #owner: object | null = null;
  #listeners = new Set<() => void>();

  get paint(): Paint | null {
    return this.#paint;
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  show(owner: object, paint: Paint): void {
    this.#owner = owner;
    this.#set(paint);
  }

  /** Takes away what this owner painted, unless somebody else has painted since. */
  clear(owner: object): void {
    if (this.#owner === owner) this.#set(null);
  }

  #set(paint: Paint | null): void {
    if (this.#paint === paint) return;
    this.#paint = paint;
    for (const listener of this.#listeners) listener();
  }
}

export function usePaint(tokens: TokenPaint): Paint | null {
  return useSyncExternalStore(
    tokens.subscribe,
    () => tokens.paint,
    () => null,
  );
}
