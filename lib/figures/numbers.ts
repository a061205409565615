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
