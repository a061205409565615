import { fitted, kept, panned, parseCamera, printCamera, zoomed, type Camera, type Size } from '@/lib/graph/camera.ts';

/** A view that has come to rest is written into the address. */
const REST_MS = 400;

/**
 * Where a person looks. Outside React's state, so that a drag moves canvases and renders nothing.
 */
export class Lens {
  #camera: Camera = { x: 0, y: 0, zoom: 1 };
  #view: Size = { width: 0, height: 0 };
  #content: Size = { width: 1, height: 1 };
  #isFitted: boolean;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #listeners = new Set<() => void>();

  #rest: (camera: string | null) => void = () => {};

  /** @param from a camera as it stands in an address */
  constructor(from: string | null) {
    const camera = parseCamera(from);
    this.#isFitted = camera === null;
    if (camera) this.#camera = camera;
  }

  get camera(): Camera {
    return this.#camera;
  }

  get view(): Size {
    return this.#view;
  }

  get content(): Size {
    return this.#content;
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** What is fitted stays so when the view or the content changes. */
  resize(view: Size, content: Size): void {
    this.#view = view;
    this.#content = content;
    if (view.width > 0) this.#camera = this.#isFitted ? fitted(content, view) : kept(this.#camera, content);
    this.#tell();
  }

  fit(): void {
    this.#isFitted = true;
    this.#move(fitted(this.#content, this.#view));
  }

  pan(dx: number, dy: number): void {
    this.#isFitted = false;
    this.#move(kept(panned(this.#camera, dx, dy), this.#content));
  }

  /** Around a point of the view, by default its middle. */
  zoom(factor: number, px = this.#view.width / 2, py = this.#view.height / 2): void {
    this.#isFitted = false;
    this.#move(kept(zoomed(this.#camera, factor, px, py, this.#view), this.#content));
  }

  centre(x: number, y: number): void {
    this.#isFitted = false;
    this.#move(kept({ ...this.#camera, x, y }, this.#content));
  }

  /** Hears of it once it stands still, with null where everything is in view. */
  whenStill(rest: (camera: string | null) => void): void {
    this.#rest = rest;
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #move(camera: Camera): void {
    this.#camera = camera;
    this.#tell();
    this.stop();
    this.#timer = setTimeout(() => this.#rest(this.#isFitted ? null : printCamera(this.#camera)), REST_MS);
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}
