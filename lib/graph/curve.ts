/**
 * An edge is a curve that leaves and enters vertically: x goes from x1 to x2 as 3t² − 2t³ while y goes evenly. As a
 * cubic Bézier its handles stand at a third and two thirds of the height; at a height t is known, so that finding the
 * edge under a cursor costs a few operations an edge and no index.
 */

/** Heights of the two handles: (x1, first) and (x2, second). */
export function handlesOf(y1: number, y2: number): [first: number, second: number] {
  return [y1 + (y2 - y1) / 3, y1 + (2 * (y2 - y1)) / 3];
}

/** How far a point is from the curve, roughly: along the normal at its height. Infinity above and below the curve. */
export function distanceTo(px: number, py: number, x1: number, y1: number, x2: number, y2: number): number {
  const height = y2 - y1;
  if (height === 0) return Number.POSITIVE_INFINITY;
  const t = (py - y1) / height;
  if (t < 0 || t > 1) return Number.POSITIVE_INFINITY;
  const x = x1 + (x2 - x1) * t * t * (3 - 2 * t);
  const slope = ((x2 - x1) * 6 * t * (1 - t)) / height;
  return Math.abs(px - x) / Math.sqrt(1 + slope * slope);
}
