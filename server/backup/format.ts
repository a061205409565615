import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';
import { z } from 'zod';
import { Refusal, isRefusal } from '../refusal.ts';
import { canonical } from '../run-key.ts';
import { Digester, MOST_CHARACTERS, PORTION, type Row } from './rows.ts';

/**
 * A backup is one file: gzip over lines of JSON.
 *
 *   {"format":"pathboard-backup", …}        the header
 *   {"table":"boards"}                      for each table, in the order of the header:
 *   ["id", null, …]                           its rows in the order of their key, each value as text, bytes in base64
 *   {"model":"tiny","file":"config.json"}   for each file of each model, where models are in it:
 *   ["AAEC…"]                                 its bytes in base64, in pieces
 *   {"tables":{…},"sequences":{…},"files":{…}}   the trailer: counts and sums
 *   {"sha256":"…"}                          over every line before
 */
export const FORMAT = 'pathboard-backup';
/** Raised when an older version of Pathboard could not read what a newer one writes. */
export const FORMAT_VERSION = 1;

const text = z.string().max(1000);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const count = z.int().nonnegative();

const headerShape = z.object({
  format: z.literal(FORMAT),
  version: z.literal(FORMAT_VERSION),
  /** the version that wrote it */
  pathboard: text,
  /** the last that the database had gone through */
  migration: z.object({ when: count, hash: sha256 }),
  createdAt: z.iso.datetime(),
  engine: z.enum(['pglite', 'postgres']),
  tables: z.array(z.object({ name: text, columns: z.array(z.object({ name: text, type: text })), key: z.array(text) })),
  /** tables and columns that are left out on purpose */
  leftOut: z.array(text),
  /** those that were imported; without files where they are only named */
  models: z.array(z.object({ name: text, hash: sha256, files: z.array(z.object({ name: text, bytes: count })).nullable() })),
});
export type Header = z.infer<typeof headerShape>;

const trailerShape = z.object({
  tables: z.record(text, z.object({ rows: count, sha256 })),
  sequences: z.record(text, z.string().regex(/^\d+$/).nullable()),
  /** by `model/file` */
  files: z.record(text, z.object({ bytes: count, sha256 })),
});
export type Trailer = z.infer<typeof trailerShape>;

/** Of a backup, in the order in which they come. */
export type Part =
  | { kind: 'header'; header: Header }
  | { kind: 'rows'; table: string; rows: Row[] }
  | { kind: 'bytes'; model: string; file: string; data: Buffer }
  | { kind: 'trailer'; trailer: Trailer };

/** Header and trailer of a backup that is proven whole. */
export async function verifyBackup(path: string): Promise<{ header: Header; trailer: Trailer }> {
  let header: Header | null = null;
  let trailer: Trailer | null = null;
  for await (const part of readBackup(path)) {
    if (part.kind === 'header') header = part.header;
    if (part.kind === 'trailer') trailer = part.trailer;
  }
  if (header && trailer) return { header, trailer };
  throw corrupt(path, 'a header and a trailer', 'none');
}

/**
 * Reads a backup and proves it on the way: who has come to the end without a refusal has read exactly what was
 * written. What is wrong may come to light only at the end, so nothing may be touched before one pass was made.
 */
export async function* readBackup(path: string): AsyncGenerator<Part> {
  const lines = new Lines(path);
  const header = checkHeader(path, await lines.next());
  yield { kind: 'header', header };
  const found: Pick<Trailer, 'tables' | 'files'> = { tables: {}, files: {} };
  for (const table of header.tables) {
    await expectLine(lines, { table: table.name });
    const digest = new Digester();
    for await (const rows of portions(lines, table.columns.length)) {
      digest.add(rows);
      yield { kind: 'rows', table: table.name, rows };
    }
    found.tables[table.name] = digest.end();
  }
  for (const { name: model, files } of header.models) {
    for (const { name: file } of files ?? []) {
      await expectLine(lines, { model, file });
      const digest = new ByteDigester();
      for await (const [piece] of portions(lines, 1)) {
        const data = Buffer.from(piece?.[0] ?? '', 'base64');
        digest.add(data);
        yield { kind: 'bytes', model, file, data };
      }
      found.files[`${model}/${file}`] = digest.end();
    }
  }
  const trailer = checkTrailer(path, await lines.next(), found);
  const sum = lines.sum();
  await expectLine(lines, { sha256: sum });
  if ((await lines.next()) !== undefined) throw corrupt(path, 'nothing after its end', 'more');
  yield { kind: 'trailer', trailer };
}

/** The rows up to the next section. */
async function* portions(lines: Lines, width: number): AsyncGenerator<Row[]> {
  let rows: Row[] = [];
  let size = 0;
  for (let next = await lines.peek(); Array.isArray(next); next = await lines.peek()) {
    await lines.next();
    if (!isRow(next, width)) throw corrupt(lines.path, `rows of ${width} values`, JSON.stringify(next).slice(0, 100));
    rows.push(next);
    size += next.reduce((total, value) => total + (value?.length ?? 0), 0);
    if (size < PORTION.size && rows.length < PORTION.rows && width > 1) continue;
    yield rows;
    rows = [];
    size = 0;
  }
  if (rows.length > 0) yield rows;
}

function isRow(value: unknown[], width: number): value is Row {
  return value.length === width && value.every((item) => item === null || typeof item === 'string');
}

export class ByteDigester {
  private bytes = 0;
  private readonly hash = createHash('sha256');

  add(data: Uint8Array): void {
    this.bytes += data.length;
    this.hash.update(data);
  }

  end(): Trailer['files'][string] {
    return { bytes: this.bytes, sha256: this.hash.digest('hex') };
  }
}

/** The lines of a file as values, one ahead of whoever reads them. */
class Lines {
  private readonly values: AsyncGenerator<{ text: string; value: unknown }>;
  private ahead: { text: string; value: unknown } | null | undefined;
  private readonly hash = createHash('sha256');

  constructor(readonly path: string) {
    this.values = parsed(path);
  }

  async peek(): Promise<unknown> {
    this.ahead ??= await this.take();
    return this.ahead?.value;
  }

  /** undefined at the end */
  async next(): Promise<unknown> {
    const value = await this.peek();
    if (this.ahead) this.hash.update(this.ahead.text);
    this.ahead = undefined;
    return value;
  }

  /** Over all lines that were taken so far. */
  sum(): string {
    return this.hash.copy().digest('hex');
  }

  private async take(): Promise<{ text: string; value: unknown } | null> {
    const { done, value } = await this.values.next();
    return done ? null : value;
  }
}

async function* parsed(path: string): AsyncGenerator<{ text: string; value: unknown }> {
  for await (const text of linesOf(path)) {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      throw corrupt(path, 'lines of JSON', JSON.stringify(text.slice(0, 60)));
    }
    yield { text, value };
  }
}

/** Each with its end. */
async function* linesOf(path: string): AsyncGenerator<string> {
  const { size } = await stat(path).catch((error: Error) => {
    throw corrupt(path, 'a file that can be read', error.message);
  });
  const gunzip = createGunzip();
  const file = createReadStream(path);
  file.on('error', (error) => gunzip.destroy(error));
  let held: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of file.pipe(gunzip) as AsyncIterable<Buffer>) {
      let from = 0;
      for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
        yield Buffer.concat([...held, chunk.subarray(from, end + 1)]).toString('utf8');
        held = [];
        length = 0;
        from = end + 1;
      }
      held.push(chunk.subarray(from));
      length += chunk.length - from;
      if (length > MOST_CHARACTERS) throw corrupt(path, `lines of at most ${MOST_CHARACTERS} characters`, 'a longer one');
    }
  } catch (error) {
    if (isRefusal(error)) throw error;
    throw corrupt(path, 'a whole backup', error instanceof Error ? error.message : String(error));
  } finally {
    file.destroy();
    gunzip.destroy();
  }
  if (length > 0) throw corrupt(path, 'a whole last line', 'one that breaks off');
  // What follows the end of the compressed data is passed over in silence.
  if (gunzip.bytesWritten !== size) throw corrupt(path, 'nothing after its end', `${size - gunzip.bytesWritten} bytes`);
}

function checkHeader(path: string, value: unknown): Header {
  const kind = z.object({ format: z.literal(FORMAT), version: z.int(), pathboard: text }).safeParse(value);
  if (!kind.success) throw corrupt(path, 'a backup of Pathboard', 'another kind of file');
  const { version, pathboard } = kind.data;
  if (version > FORMAT_VERSION) {
    throw corrupt(path, `format ${FORMAT_VERSION} or older`, `format ${version}, written by Pathboard ${pathboard}: restore it with that`);
  }
  const header = headerShape.safeParse(value);
  if (header.success) return header.data;
  const issue = header.error.issues[0];
  throw corrupt(path, 'a header of a backup', `${issue?.path.join('.')}: ${issue?.message}`);
}

function checkTrailer(path: string, value: unknown, found: Pick<Trailer, 'tables' | 'files'>): Trailer {
  const trailer = trailerShape.safeParse(value);
  if (!trailer.success) throw corrupt(path, 'counts and sums behind the last table', JSON.stringify(value ?? null).slice(0, 100));
  for (const part of ['tables', 'files'] as const) {
    const announced = canonical(trailer.data[part]);
    if (announced !== canonical(found[part])) throw corrupt(path, `${part} as counted and summed at its end`, 'others');
  }
  return trailer.data;
}

async function expectLine(lines: Lines, expected: Record<string, string>): Promise<void> {
  const value = await lines.next();
  if (value !== undefined && canonical(value) === canonical(expected)) return;
  const got = value === undefined ? 'its end' : JSON.stringify(value).slice(0, 200);
  throw corrupt(lines.path, JSON.stringify(expected), got);
}

function corrupt(path: string, expected: string, got: string): Refusal {
  return new Refusal('bad-request', `backup ${path}`, expected, got);
}
