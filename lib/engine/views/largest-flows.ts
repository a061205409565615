import type { Place } from '../names.ts';
import type { Answer } from '../request.ts';

export interface Flow {
  from: Place;
  to: Place;
  value: number;
}

/** The largest flows of all that are shown to it, and what the others hold. Flows of exactly 0 are none. */
export class LargestFlows {
  #kept: Flow[] = [];
  #edges = 0;
  #unlisted = 0;

  constructor(readonly limit: number) {}

  add(flow: Flow): void {
    if (flow.value === 0) return;
    this.#edges += 1;
    this.#kept.push(flow);
    if (this.#kept.length >= 2 * this.limit + 1024) this.#cut();
  }

  /** Flows that are smaller than `limit` others, by their number and Σ|value|. */
  addUnseen({ edges, mass }: { edges: number; mass: number }): void {
    this.#edges += edges;
    this.#unlisted += mass;
  }

  /** The largest first. */
  finish(): { flows: Flow[]; extent: NonNullable<Answer['extent']> } {
    this.#cut();
    const listed = this.#kept.reduce((mass, { value }) => mass + Math.abs(value), 0);
    return { flows: this.#kept, extent: { edges: this.#edges, mass: listed + this.#unlisted, unlisted: this.#unlisted } };
  }

  #cut(): void {
    this.#kept.sort((a, b) => Math.abs(b.value) - Math.abs(a.value));
    for (const { value } of this.#kept.splice(this.limit)) this.#unlisted += Math.abs(value);
  }
}
