/** What part of a plane is looked at: its point in the middle of the view, and pixels of the screen a pixel of the plane. */
export interface Camera {
  x: number;
  y: number;
  zoom: number;
}

export interface Size {
  width: number;
  height: number;
}

export const ZOOM = { least: 0.02, most: 8 } as const;

export function fitted(content: Size, view: Size, margin = 24): Camera {
  const zoom = Math.min((view.width - 2 * margin) / content.width, (view.height - 2 * margin) / content.height, 1.5);
  return { x: content.width / 2, y: content.height / 2, zoom: clampZoom(zoom) };
}

/** Moves what is looked at by pixels of the screen. */
export function panned({ x, y, zoom }: Camera, dx: number, dy: number): Camera {
  return { x: x - dx / zoom, y: y - dy / zoom, zoom };
}

/** Zooms by a factor; what lies at (px, py), in pixels of the view, stays there. */
export function zoomed(camera: Camera, factor: number, px: number, py: number, view: Size): Camera {
  const zoom = clampZoom(camera.zoom * factor);
  const at = toPlane(camera, px, py, view);
  return { x: at.x - (px - view.width / 2) / zoom, y: at.y - (py - view.height / 2) / zoom, zoom };
}

export function toPlane({ x, y, zoom }: Camera, px: number, py: number, view: Size): { x: number; y: number } {
  return { x: x + (px - view.width / 2) / zoom, y: y + (py - view.height / 2) / zoom };
}

export function toView({ x, y, zoom }: Camera, px: number, py: number, view: Size): { x: number; y: number } {
  return { x: (px - x) * zoom + view.width / 2, y: (py - y) * zoom + view.height / 2 };
}

/** Keeps the middle of the view on the content, so that nobody gets lost. */
export function kept(camera: Camera, content: Size): Camera {
  return { ...camera, x: between(camera.x, 0, content.width), y: between(camera.y, 0, content.height) };
}

/** As it stands in an address, `x,y,zoom`. */
export function printCamera({ x, y, zoom }: Camera): string {
  return `${Math.round(x)},${Math.round(y)},${Number(zoom.toPrecision(3))}`;
}

/** Null for what is no camera. */
export function parseCamera(text: string | null): Camera | null {
  if (text === null || !/^-?\d{1,7},-?\d{1,7},\d{1,4}(\.\d{1,6})?$/.test(text)) return null;
  const [x, y, zoom] = text.split(',').map(Number) as [number, number, number];
  return zoom > 0 ? { x, y, zoom: clampZoom(zoom) } : null;
}

function clampZoom(zoom: number): number {
  return between(zoom, ZOOM.least, ZOOM.most);
}

function between(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value));
}
