import { EngineError } from './errors.ts';

/**
 * The safetensors container: 8 bytes of header length (little endian), a JSON header, then the tensors' bytes.
 * Only the header is read here; the bytes stay in the file. Format: the safetensors project's README.
 */

export interface StoredTensor {
  dtype: StoredDtype;
  shape: readonly number[];
  /** file name in the model's folder */
  location: string;
  /** both in bytes */
  offset: number;
  length: number;
}

export type StoredDtype = 'float32' | 'float16' | 'bfloat16';

/** Every tensor of a model by its name in the file. */
export type TensorTable = ReadonlyMap<string, StoredTensor>;

const DTYPES: Record<string, { dtype: StoredDtype; bytes: number }> = {
  F32: { dtype: 'float32', bytes: 4 },
  F16: { dtype: 'float16', bytes: 2 },
  BF16: { dtype: 'bfloat16', bytes: 2 },
};
/** Known to the format, not to the engine: allowed in a file as long as no map asks for such a tensor. */
const OTHER_DTYPES: Record<string, number> = { F64: 8, I64: 8, I32: 4, I16: 2, I8: 1, U64: 8, U32: 4, U16: 2, U8: 1, BOOL: 1 };
const HEADER_LIMIT = 100_000_000;

/** Length of the JSON header in bytes, from the first 8 bytes of the file. `fileSize` in bytes. */
export function headerLength(prefix: Uint8Array, file: string, fileSize: number): number {
  if (prefix.length < 8 || fileSize < 8) {
    throw new EngineError('bad-weights', file, 'at least 8 bytes of header length', `${fileSize} bytes`);
  }
  const length = Number(new DataView(prefix.buffer, prefix.byteOffset, 8).getBigUint64(0, true));
  if (length < 2 || length > Math.min(HEADER_LIMIT, fileSize - 8)) {
    throw new EngineError('bad-weights', `${file}: header length`, `2 to ${Math.min(HEADER_LIMIT, fileSize - 8)} bytes`, `${length}`);
  }
  return length;
}

/**
 * Reads the JSON header and proves that the tensors tile the file without gap, overlap or overrun.
 * @param header the JSON text after the first 8 bytes
 * @param fileSize size of the whole file in bytes
 */
export function readHeader(header: string, file: string, fileSize: number, headerBytes: number): TensorTable {
  const start = 8 + headerBytes;
  const entries = parseHeader(header, file);
  const table = new Map<string, StoredTensor>();
  const spans: { name: string; from: number; to: number }[] = [];
  for (const [name, value] of Object.entries(entries)) {
    if (name === '__metadata__') continue;
    const entry = checkEntry(name, value, file, fileSize - start);
    spans.push({ name, from: entry.from, to: entry.to });
    if (entry.dtype) {
      table.set(name, {
        dtype: entry.dtype,
        shape: entry.shape,
        location: file,
        offset: start + entry.from,
        length: entry.to - entry.from,
      });
    }
  }
  checkTiling(spans, file, fileSize - start);
  return table;
}

function parseHeader(header: string, file: string): Record<string, unknown> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(header);
  } catch (cause) {
    throw new EngineError('bad-weights', `${file}: header`, 'JSON', 'text that is not JSON', { cause });
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw new EngineError('bad-weights', `${file}: header`, 'a JSON object', JSON.stringify(parsed).slice(0, 80));
  }
  return parsed as Record<string, unknown>;
}

function checkEntry(name: string, value: unknown, file: string, dataBytes: number) {
  const where = `${file}: tensor ${JSON.stringify(name)}`;
  const { dtype, shape, data_offsets: offsets } = (value ?? {}) as { dtype?: unknown; shape?: unknown; data_offsets?: unknown };
  const known = typeof dtype === 'string' ? DTYPES[dtype] : undefined;
  const bytes = known?.bytes ?? (typeof dtype === 'string' ? OTHER_DTYPES[dtype] : undefined);
  if (bytes === undefined) {
    const expected = `dtype ${[...Object.keys(DTYPES), ...Object.keys(OTHER_DTYPES)].join(', ')}`;
    throw new EngineError('bad-weights', where, expected, JSON.stringify(dtype) ?? 'nothing');
  }
  if (!isSizes(shape)) throw new EngineError('bad-weights', where, 'shape as a list of sizes', JSON.stringify(shape) ?? 'nothing');
  if (!isSizes(offsets) || offsets.length !== 2 || offsets[0]! > offsets[1]!) {
    throw new EngineError('bad-weights', where, 'data_offsets [from, to]', JSON.stringify(offsets) ?? 'nothing');
  }
  const [from, to] = offsets as [number, number];
  if (to > dataBytes) {
    throw new EngineError(
      'bad-weights',
      where,
      `data within the file's ${dataBytes} data bytes`,
      `data up to byte ${to}: truncated or out of range`,
    );
  }
  const size = shape.reduce((product, dim) => product * dim, bytes);
  if (size !== to - from) {
    throw new EngineError('bad-weights', where, `${size} bytes for shape [${shape.join()}]`, `${to - from} bytes`);
  }
  return { dtype: known?.dtype ?? null, shape, from, to };
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && item >= 0);
}

function checkTiling(spans: { name: string; from: number; to: number }[], file: string, dataBytes: number): void {
  const sorted = spans.toSorted((a, b) => a.from - b.from || a.to - b.to);
  let end = 0;
  for (const span of sorted) {
    if (span.from !== end) {
      const got = `${span.from}, which ${span.from < end ? 'overlaps the tensor before' : 'leaves a gap'}`;
      throw new EngineError('bad-weights', `${file}: tensor ${JSON.stringify(span.name)}`, `data from byte ${end}`, got);
    }
    end = span.to;
  }
  if (end !== dataBytes) {
    throw new EngineError('bad-weights', file, `${end} data bytes as its header says`, `${dataBytes}`);
  }
}

/** The numbers of a stored tensor. float32 are a view on `bytes`; the others become float32 in memory of their own. */
export function floatsOf(bytes: ArrayBuffer, dtype: StoredDtype): Float32Array {
  if (dtype === 'float32') return new Float32Array(bytes);
  const words = new Uint16Array(bytes);
  return dtype === 'bfloat16' ? fromBfloat16(words) : fromFloat16(words);
}

/** bfloat16 is the upper half of a float32. */
function fromBfloat16(words: Uint16Array): Float32Array {
  const bits = new Uint32Array(words.length);
  for (let i = 0; i < words.length; i++) bits[i] = words[i]! << 16;
  return new Float32Array(bits.buffer);
}

function fromFloat16(words: Uint16Array): Float32Array {
  const table = (halves ??= Float32Array.from({ length: 0x1_00_00 }, (_, half) => floatOfHalf(half)));
  const floats = new Float32Array(words.length);
  for (let i = 0; i < words.length; i++) floats[i] = table[words[i]!]!;
  return floats;
}

let halves: Float32Array | null = null;

/** IEEE 754 binary16: 1 bit of sign, 5 of exponent, 10 of fraction. */
function floatOfHalf(half: number): number {
  const sign = half & 0x80_00 ? -1 : 1;
  const exponent = (half >> 10) & 0x1f;
  const fraction = (half & 0x3_ff) / 1024;
  if (exponent === 0) return sign * fraction * 2 ** -14;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : Number.NaN;
  return sign * (1 + fraction) * 2 ** (exponent - 15);
}
