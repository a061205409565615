import type { FileHandle } from 'node:fs/promises';
import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { createInflateRaw } from 'node:zlib';

/** Of a ZIP archive (a wheel, a nupkg) as much as taking single files out needs. APPNOTE.TXT of PKWARE, 4.3. */

export interface Entry {
  name: string;
  method: number;
  compressed: number;
  /** of its local header, in bytes */
  at: number;
}

const END = { signature: 0x06054b50, bytes: 22, comment: 65_535 };
const CENTRAL = { signature: 0x02014b50, bytes: 46 };
const LOCAL = { signature: 0x04034b50, bytes: 30 };
const [STORED, DEFLATED] = [0, 8];

/** @throws Error where the file is no archive, or cut short */
export async function entriesOf(archive: FileHandle): Promise<Entry[]> {
  const { size } = await archive.stat();
  const tail = await read(archive, Math.max(0, size - END.bytes - END.comment), Math.min(size, END.bytes + END.comment));
  const end = tail.lastIndexOf(Buffer.from(Uint32Array.of(END.signature).buffer));
  if (end < 0 || end + END.bytes > tail.length) throw new Error('expected a ZIP archive, got none, or one that is cut short');
  const directory = await read(archive, tail.readUInt32LE(end + 16), tail.readUInt32LE(end + 12));
  const entries: Entry[] = [];
  for (let at = 0; at + CENTRAL.bytes <= directory.length;) {
    if (directory.readUInt32LE(at) !== CENTRAL.signature) throw new Error('expected the list of an archive, got other bytes');
    const [name, extra, comment] = [28, 30, 32].map((field) => directory.readUInt16LE(at + field)) as [number, number, number];
    entries.push({
      name: directory.toString('utf8', at + CENTRAL.bytes, at + CENTRAL.bytes + name),
      method: directory.readUInt16LE(at + 10),
      compressed: directory.readUInt32LE(at + 20),
      at: directory.readUInt32LE(at + 42),
    });
    at += CENTRAL.bytes + name + extra + comment;
  }
  return entries;
}

/** Writes one file of the archive to `path`. */
export async function extract(archive: FileHandle, { name, method, compressed, at }: Entry, path: string): Promise<void> {
  const local = await read(archive, at, LOCAL.bytes);
  if (local.readUInt32LE(0) !== LOCAL.signature) throw new Error(`${name}: expected a file of the archive, got other bytes`);
  const start = at + LOCAL.bytes + local.readUInt16LE(26) + local.readUInt16LE(28);
  const source = archive.createReadStream({ start, end: start + compressed - 1, autoClose: false });
  if (method === STORED) await pipeline(source, createWriteStream(path));
  else if (method === DEFLATED) await pipeline(source, createInflateRaw(), createWriteStream(path));
  else throw new Error(`${name}: expected a stored or deflated file, got method ${method}`);
}

async function read(archive: FileHandle, from: number, length: number): Promise<Buffer> {
  const { bytesRead, buffer } = await archive.read(Buffer.alloc(length), 0, length, from);
  if (bytesRead !== length) throw new Error(`expected ${length} bytes of the archive, got ${bytesRead}`);
  return buffer;
}
