/** One message between the tests and the page that computes for them: what it says as JSON, then its numbers as bytes. */

export interface Part {
  name: string;
  dtype: 'float32' | 'int32' | 'bytes';
  dims: readonly number[];
}

/** Numbers lie on multiples of this. */
const ALIGNMENT = 8;
const aligned = (bytes: number) => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;

export function writeFrame(says: object, parts: readonly (Part & { data: ArrayBufferView })[]): Uint8Array<ArrayBuffer> {
  const text = new TextEncoder().encode(
    JSON.stringify({ says, parts: parts.map(({ name, dtype, dims, data }) => ({ name, dtype, dims, bytes: data.byteLength })) }),
  );
  const start = aligned(4 + text.length);
  const frame = new Uint8Array(start + parts.reduce((sum, { data }) => sum + aligned(data.byteLength), 0));
  new DataView(frame.buffer).setUint32(0, text.length, true);
  frame.set(text, 4);
  let at = start;
  for (const { data } of parts) {
    frame.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += aligned(data.byteLength);
  }
  return frame;
}

export interface ReadPart extends Part {
  data: Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>;
}

/** `frame` begins at the beginning of its buffer. */
export function readFrame<Says>(frame: ArrayBuffer): { says: Says; parts: ReadPart[] } {
  const length = new DataView(frame).getUint32(0, true);
  const { says, parts } = JSON.parse(new TextDecoder().decode(new Uint8Array(frame, 4, length))) as {
    says: Says;
    parts: (Part & { bytes: number })[];
  };
  let at = aligned(4 + length);
  const read = parts.map(({ bytes, ...part }) => {
    const from = at;
    at += aligned(bytes);
    if (part.dtype === 'float32') return { ...part, data: new Float32Array(frame, from, bytes / 4) };
    if (part.dtype === 'int32') return { ...part, data: new Int32Array(frame, from, bytes / 4) };
    return { ...part, data: new Uint8Array(frame, from, bytes) };
  });
  return { says, parts: read };
}
