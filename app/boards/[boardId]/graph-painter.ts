import { toPlane, type Camera, type Size } from '@/lib/graph/camera.ts';
import type { Lit } from '@/lib/graph/lit.ts';
import { NODE_SIZE, alphaOf, drawNode, isNear, outline, strokeEdge, widthOf, type Inks, type Origin, type Picture } from './graph-ink.ts';

/** Pixels of one canvas; a picture that fits is drawn whole, so that panning never draws again. */
const MOST_PIXELS = 6_000_000;
/** Edges drawn in one frame: fewer once a frame took longer than the screen's. */
const BATCH = { least: 40, first: 400, most: 4000 };
const FRAME_MS = 17.5;
const REST_MS = 250;
/** A zoomed picture is stretched until the wheel has stood still for so long. */
const SETTLE_MS = 90;

/** A part of the zoomed plane, as it was drawn on a canvas. */
interface Drawn extends Origin {
  width: number;
  height: number;
}

/** What is drawn over the picture, anew whenever it changes or moves. */
export interface Mark {
  lit: Lit;
  /** null: each edge's own, by its sign */
  colour: string | null;
  /** rings around the nodes as well */
  ring: boolean;
}

/**
 * Draws a graph on two canvases larger than the view, one shown and one in the making, and moves the shown one with a
 * transform: a pan draws nothing. A picture is drawn over several frames, so that none of them is late, and shown when it is
 * whole. What is lit lies on a third canvas of the view's size.
 */
export class GraphPainter {
  #shown: HTMLCanvasElement;
  #hidden: HTMLCanvasElement;
  #picture: Picture | null = null;
  #inks: Inks | null = null;
  #marks: readonly Mark[] = [];
  #camera: Camera = { x: 0, y: 0, zoom: 1 };
  #view: Size = { width: 0, height: 0 };
  #drawn: Drawn | null = null;
  #job: Generator<void, Drawn> | null = null;
  #batch = BATCH.first;
  #frame = 0;
  #lastFrame = 0;
  #settling: ReturnType<typeof setTimeout> | null = null;
  #marksAreStale = false;
  /** where they were drawn; null while there are none */
  #marksAt: Origin | null = null;
  #marking: ReturnType<typeof setTimeout> | null = null;

  constructor(
    bases: readonly [HTMLCanvasElement, HTMLCanvasElement],
    private readonly overlay: HTMLCanvasElement,
    /** hears of how many edges there are once what is shown is what is wanted */
    private readonly onDone: (edges: number) => void,
  ) {
    [this.#shown, this.#hidden] = bases;
  }

  paint(picture: Picture, inks: Inks): void {
    this.#picture = picture;
    this.#inks = inks;
    this.#start();
    this.mark(this.#marks);
  }

  look(camera: Camera, view: Size): void {
    const resized = view.width !== this.#view.width || view.height !== this.#view.height;
    const rescaled = camera.zoom !== this.#camera.zoom;
    this.#camera = camera;
    this.#view = view;
    this.#place();
    this.#moveMarks(resized);
    if (resized) this.#start();
    else if (rescaled) this.#settle();
    else if (this.#leaves()) this.#startUnlessBusy();
  }

  mark(marks: readonly Mark[]): void {
    this.#marks = marks;
    this.overlay.dataset['litEdges'] = String(marks.reduce((sum, { lit }) => sum + lit.edges.size, 0));
    this.#marksAreStale = true;
    this.#request();
  }

  /** Marks move with the picture and are drawn again once it stands still, with what came into view. */
  #moveMarks(resized: boolean): void {
    if (this.#marksAt === null || resized) return this.mark(this.#marks);
    this.overlay.style.transform = this.#transformOf(this.#marksAt);
    if (this.#marking !== null) clearTimeout(this.#marking);
    this.#marking = setTimeout(() => this.mark(this.#marks), SETTLE_MS);
  }

  stop(): void {
    cancelAnimationFrame(this.#frame);
    if (this.#marking !== null) clearTimeout(this.#marking);
    if (this.#settling !== null) clearTimeout(this.#settling);
  }

  #settle(): void {
    if (this.#settling !== null) clearTimeout(this.#settling);
    this.#settling = setTimeout(() => this.#start(), SETTLE_MS);
  }

  #start(): void {
    if (!this.#picture || this.#view.width === 0) return;
    this.#job = this.#draw(this.#picture, this.#inks!);
    this.#request();
  }

  #startUnlessBusy(): void {
    if (this.#job === null && this.#settling === null) this.#start();
  }

  #request(): void {
    if (this.#frame === 0) this.#frame = requestAnimationFrame(this.#tick);
  }

  readonly #tick = (now: number): void => {
    this.#frame = 0;
    const took = now - this.#lastFrame;
    this.#lastFrame = now;
    if (this.#marksAreStale) this.#drawMarks();
    if (this.#job) {
      // After a rest there was no frame to be late.
      if (took < REST_MS)
        this.#batch = Math.round(took > FRAME_MS ? Math.max(BATCH.least, this.#batch / 2) : Math.min(BATCH.most, this.#batch * 1.15));
      const { done, value } = this.#job.next();
      if (done) this.#show(value);
      else this.#request();
    }
  };

  #show(drawn: Drawn): void {
    this.#job = null;
    this.#settling = null;
    [this.#shown, this.#hidden] = [this.#hidden, this.#shown];
    this.#drawn = drawn;
    this.#place();
    this.#shown.style.visibility = 'visible';
    this.#hidden.style.visibility = 'hidden';
    if (this.#camera.zoom !== drawn.zoom) this.#settle();
    else if (this.#leaves()) this.#start();
    else this.onDone(this.#picture!.edges.length);
  }

  #place(): void {
    if (this.#drawn) this.#shown.style.transform = this.#transformOf(this.#drawn);
  }

  /** Moves what was drawn to where its part of the plane now is; by whole pixels where it is not stretched. */
  #transformOf(drawn: Origin): string {
    const { left, top } = originOf(this.#camera, this.#view);
    const stretch = this.#camera.zoom / drawn.zoom;
    const x = drawn.left * stretch - left;
    const y = drawn.top * stretch - top;
    return stretch === 1 ? `translate3d(${Math.round(x)}px, ${Math.round(y)}px, 0)` : `translate3d(${x}px, ${y}px, 0) scale(${stretch})`;
  }

  /** Whether what is in view comes near the end of what is drawn, on a side where there is more. */
  #leaves(): boolean {
    const drawn = this.#drawn;
    if (!drawn || !this.#picture) return true;
    const { left, top } = originOf(this.#camera, this.#view);
    const { width, height } = this.#picture.layout;
    const spare = { x: this.#view.width / 5, y: this.#view.height / 5 };
    const { zoom } = drawn;
    return (
      (left - spare.x < drawn.left && drawn.left > 0) ||
      (top - spare.y < drawn.top && drawn.top > 0) ||
      (left + this.#view.width + spare.x > drawn.left + drawn.width && drawn.left + drawn.width < width * zoom) ||
      (top + this.#view.height + spare.y > drawn.top + drawn.height && drawn.top + drawn.height < height * zoom)
    );
  }

  /** The whole plane where that is not too large, else half a view more than the view on every side. */
  #region(): Drawn {
    const { zoom } = this.#camera;
    const { layout } = this.#picture!;
    const pad = 16;
    const whole = { zoom, left: -pad, top: -pad, width: layout.width * zoom + 2 * pad, height: layout.height * zoom + 2 * pad };
    if (whole.width * whole.height * density() ** 2 <= MOST_PIXELS) return whole;
    const { left, top } = originOf(this.#camera, this.#view);
    const { width, height } = this.#view;
    return { zoom, left: left - width / 2, top: top - height / 2, width: 2 * width, height: 2 * height };
  }

  *#draw(picture: Picture, inks: Inks): Generator<void, Drawn> {
    const canvas = this.#hidden;
    const drawn = this.#region();
    const ratio = Math.min(density(), Math.sqrt(MOST_PIXELS / (drawn.width * drawn.height)));
    canvas.width = Math.ceil(drawn.width * ratio);
    canvas.height = Math.ceil(drawn.height * ratio);
    canvas.style.width = `${canvas.width / ratio}px`;
    canvas.style.height = `${canvas.height / ratio}px`;
    const context = contextOf(canvas);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    let count = 0;
    for (let place = picture.edges.length - 1; place >= 0; place--) {
      const edge = picture.edges[place]!;
      if (!isNear(picture, edge, drawn, drawn.width, drawn.height)) continue;
      const { value } = picture.graph.edges[edge]!;
      const { scale } = picture;
      const colour = value > 0 ? inks.positive : inks.negative;
      strokeEdge(context, picture, edge, drawn, { colour, width: widthOf(value, scale), alpha: alphaOf(value, scale) });
      if (++count >= this.#batch) {
        count = 0;
        yield;
      }
    }
    for (let index = 0; index < picture.nodes.length; index++) {
      if (!picture.nodes[index]) continue;
      drawNode(context, picture, index, drawn, inks);
      if (++count >= this.#batch) {
        count = 0;
        yield;
      }
    }
    return drawn;
  }

  #drawMarks(): void {
    this.#marksAreStale = false;
    const { width, height } = this.#view;
    const ratio = density();
    const canvas = this.overlay;
    const isEmpty = this.#marks.every(({ lit }) => lit.nodes.size === 0 && lit.edges.size === 0);
    canvas.style.display = isEmpty ? 'none' : 'block';
    this.#marksAt = null;
    if (isEmpty || !this.#picture) return;
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
    }
    const context = contextOf(canvas);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    const at = { zoom: this.#camera.zoom, ...originOf(this.#camera, this.#view) };
    this.#marksAt = at;
    canvas.style.transform = '';
    for (const mark of this.#marks) drawMark(context, this.#picture, mark, at, this.#inks!, this.#view);
  }
}

/** So many edges of one mark are drawn at most, the largest: it moves with every frame. */
const MOST_LIT = 400;

function drawMark(
  context: CanvasRenderingContext2D,
  picture: Picture,
  { lit, colour, ring }: Mark,
  at: Origin,
  inks: Inks,
  view: Size,
): void {
  const near = [...lit.edges].slice(0, MOST_LIT).filter((edge) => isNear(picture, edge, at, view.width, view.height));
  for (const edge of near.toReversed()) {
    const { value } = picture.graph.edges[edge]!;
    const width = widthOf(value, picture.scale) + 1.2;
    strokeEdge(context, picture, edge, at, { colour: inks.paper, width: width + 3, alpha: 0.9 });
    strokeEdge(context, picture, edge, at, { colour: colour ?? (value > 0 ? inks.positive : inks.negative), width, alpha: 1 });
  }
  for (const index of lit.nodes) {
    drawNode(context, picture, index, at, inks);
    if (!ring) continue;
    context.beginPath();
    outline(
      context,
      picture.graph.nodes[index]!,
      picture.layout.x[index]! * at.zoom - at.left,
      picture.layout.y[index]! * at.zoom - at.top,
      1.9 * NODE_SIZE,
    );
    context.lineWidth = 2;
    context.strokeStyle = colour ?? inks.ink;
    context.stroke();
  }
}

function originOf(camera: Camera, view: Size): { left: number; top: number } {
  const { x, y } = toPlane(camera, 0, 0, view);
  return { left: x * camera.zoom, top: y * camera.zoom };
}

function density(): number {
  return Math.min(2, globalThis.devicePixelRatio || 1);
}

function contextOf(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
  const context = canvas.getContext('2d');
  if (!context) throw new Error('graph: expected a canvas to draw on, got none from this browser');
  return context;
}
