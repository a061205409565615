/**
 * Checks of plain values that somebody else wrote. A reader made of them answers with the record or with the
 * reason why it is none; it never throws.
 */

export type Check = (value: unknown) => boolean;
export type Fields<T> = { [K in keyof Required<T>]: Check };

export interface Flaw {
  /** key in its map */
  id: string;
  reason: string;
}

export interface Read<T> {
  records: T[];
  /** records left out because they are malformed */
  flaws: Flaw[];
}

export const text =
  (max: number): Check =>
  (value) =>
    typeof value === 'string' && value.length > 0 && value.length <= max;

/** Any finite number; times are epoch milliseconds. */
export const number: Check = (value) => typeof value === 'number' && Number.isFinite(value);
export const truth: Check = (value) => typeof value === 'boolean';
export const whole: Check = (value) => Number.isSafeInteger(value);
export const orNull =
  (check: Check): Check =>
  (value) =>
    value === null || check(value);
/** A field that records from before it was there lack. */
export const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);
export const oneOf =
  (values: readonly string[]): Check =>
  (value) =>
    typeof value === 'string' && values.includes(value);
export const listOf =
  (check: Check, max: number): Check =>
  (value) =>
    Array.isArray(value) && value.length <= max && value.every(check);
export const valuesOf =
  (check: Check): Check =>
  (value) =>
    isPlain(value) && Object.values(value).every(check);
export const record =
  <T>(fields: Fields<T>): Check =>
  (value) =>
    wrongField(value, fields) === null;

/** The first field that is missing or malformed, or null when the value is a T. Further fields are left alone. */
export function wrongField<T>(value: unknown, fields: Fields<T>): string | null {
  if (!isPlain(value)) return 'the record itself';
  for (const name of Object.keys(fields) as (keyof Fields<T> & string)[]) {
    if (!fields[name](Object.hasOwn(value, name) ? value[name] : undefined)) return name;
  }
  return null;
}

export function is<T>(value: unknown, fields: Fields<T>): value is T {
  return wrongField(value, fields) === null;
}

/** Reads the records of one map, in order of `order`; malformed ones are named in `flaws`. */
export function readRecords<T extends { id: string }>(
  entries: Iterable<[string, unknown]>,
  fields: Fields<T>,
  order: (a: T, b: T) => number,
): Read<T> {
  const records: T[] = [];
  const flaws: Flaw[] = [];
  for (const [key, value] of entries) {
    if (!is<T>(value, fields)) {
      flaws.push({ id: key, reason: `malformed: ${wrongField(value, fields)}` });
    } else if (value.id !== key) {
      flaws.push({ id: key, reason: `stored under another id than its own` });
    } else {
      records.push(value);
    }
  }
  return { records: records.sort(order), flaws };
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
