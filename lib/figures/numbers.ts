/** How numbers are written wherever a person reads them: the board, its figures and the published page. */

const MINUS = '\u2212';

/** A value in logits, without a plus sign: three decimals, or an exponent where these would show only zeros. */
export function formatValue(value: number): string {
  if (!Number.isFinite(value)) return 'not a number';
  if (value === 0) return '0.000';
  const size = Math.abs(value);
  const digits = size < 0.0005 ? exponent(size) : size >= 1e6 ? exponent(size) : size.toFixed(3);
  return value < 0 ? MINUS + digits : digits;
}

/** As {@link formatValue}, with its sign always shown. */
export function formatSigned(value: number): string {
  return value > 0 ? `+${formatValue(value)}` : formatValue(value);
}

/** An identity or defect error: one significant digit. */
export function formatError(error: number): string {
  return error === 0 ? '0' : exponent(Math.abs(error), 0);
}

/** Part of a whole, signed; may pass 100%. */
export function formatShare(value: number, whole: number): string {
  if (whole === 0) return '–';
  const percent = (100 * value) / whole;
  const text = Math.abs(percent).toFixed(Math.abs(percent) >= 99.95 ? 0 : 1);
  return `${percent < 0 && Number(text) !== 0 ? MINUS : ''}${text}%`;
}

export function formatCount(count: number): string {
  return count.toLocaleString('en-GB').replaceAll(',', '\u2009');
}

const BYTE_UNITS = ['bytes', 'kB', 'MB', 'GB', 'TB'];

/** Bytes in units of a thousand: `538 MB`, `1.2 GB`. */
export function formatBytes(bytes: number): string {
  let unit = 0;
  let value = bytes;
  while (value >= 1000 && unit < BYTE_UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(value < 10 ? 1 : 0)} ${BYTE_UNITS[unit]}`;
}

/** A count of parameters as the field writes it: `135 M`, `1.3 B`. */
export function formatParameters(count: number): string {
  if (count < 1e6) return `${(count / 1e3).toFixed(count < 1e4 ? 1 : 0)} k`;
  const [size, unit] = count < 1e9 ? [count / 1e6, 'M'] : [count / 1e9, 'B'];
  return `${size.toFixed(size < 10 ? 1 : 0)} ${unit}`;
}

/** Epoch ms as a date and time that reads the same everywhere. */
export function formatTime(at: number): string {
  return `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

/* oxlint-disable-next-line no-control-regex -- tokens of a byte-level vocabulary are single bytes */
const CONTROL = /[\u0000-\u001F\u007F-\u009F]/g;

/** White space and control characters made visible, so that tokens can be told apart. */
export function visibleToken(text: string): string {
  if (text === '') return '∅';
  return text
    .replaceAll(' ', '·')
    .replaceAll('\n', '↵')
    .replaceAll('\t', '⇥')
    .replaceAll(CONTROL, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

function exponent(size: number, digits = 1): string {
  return size.toExponential(digits).replace('e+', 'e').replace('e-', `e${MINUS}`);
}
