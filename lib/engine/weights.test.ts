import { describe, expect, test } from 'vitest';
import { headerLength, readHeader } from './weights.ts';

const FILE = 'model.safetensors';

/** A header read as if it stood before `dataBytes` bytes of data. */
function read(header: unknown, dataBytes: number) {
  const text = typeof header === 'string' ? header : JSON.stringify(header);
  return readHeader(text, FILE, 8 + text.length + dataBytes, text.length);
}

const tensor = (from: number, to: number, more: object = {}) => ({
  dtype: 'F32',
  shape: [(to - from) / 4],
  data_offsets: [from, to],
  ...more,
});

describe('safetensors headers', () => {
  test('tensors keep their place in the file', () => {
    const header = { __metadata__: { format: 'pt' }, a: tensor(0, 8), b: tensor(8, 20) };
    const table = read(header, 20);
    const start = 8 + JSON.stringify(header).length;
    expect(table.get('b')).toEqual({ dtype: 'float32', shape: [3], location: FILE, offset: start + 8, length: 12 });
    expect(table.size).toBe(2);
  });

  test('tensors of types that the engine does not use are passed over', () => {
    expect(read({ mask: { dtype: 'U8', shape: [4], data_offsets: [0, 4] }, a: tensor(4, 8) }, 8).size).toBe(1);
  });

  test.each([
    ['truncated data', { a: tensor(0, 8) }, 4, 'truncated'],
    ['data beyond the header’s tensors', { a: tensor(0, 8) }, 12, '8 data bytes'],
    ['an overlap', { a: tensor(0, 8), b: tensor(4, 12) }, 12, 'overlaps'],
    ['a gap', { a: tensor(0, 8), b: tensor(12, 16) }, 16, 'gap'],
    ['an offset far out of range', { a: tensor(1e12, 1e12 + 8) }, 8, 'out of range'],
    ['offsets the wrong way round', { a: tensor(0, 8, { data_offsets: [8, 0] }) }, 8, 'data_offsets [from, to]'],
    ['negative offsets', { a: tensor(0, 8, { data_offsets: [-8, 0] }) }, 8, 'data_offsets'],
    ['an unknown dtype', { a: tensor(0, 8, { dtype: 'F4' }) }, 8, 'dtype F32'],
    ['a size that the shape denies', { a: tensor(0, 8, { shape: [3] }) }, 8, '12 bytes for shape [3]'],
    ['a shape that is none', { a: tensor(0, 8, { shape: [1.5] }) }, 8, 'shape as a list'],
    ['an entry that is none', { a: null }, 0, 'dtype'],
    ['a header that is a list', [], 0, 'JSON object'],
    ['a header that is not JSON', '{"a":', 0, 'JSON'],
  ])('%s is refused', (_, header, dataBytes, message) => {
    expect(() => read(header, dataBytes)).toThrow(message);
  });

  test.each([
    [[0, 0, 0, 0, 0, 0, 0, 0], 100, '2 to'],
    [[255, 255, 255, 255, 255, 255, 255, 255], 100, '2 to 92'],
    [[93, 0, 0, 0, 0, 0, 0, 0], 100, '2 to 92'],
    [[1, 2], 2, 'at least 8 bytes'],
  ])('header length %j of a file of %i bytes is refused', (prefix, size, message) => {
    expect(() => headerLength(Uint8Array.from(prefix), FILE, size)).toThrow(message);
  });
});
