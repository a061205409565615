/** Of JSON values; the order of an object's keys does not matter. */
export function isEqual(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null || Array.isArray(a) !== Array.isArray(b)) return false;
  const others = new Map(Object.entries(b));
  const mine = Object.entries(a);
  return mine.length === others.size && mine.every(([key, value]) => others.has(key) && isEqual(value, others.get(key)));
}
