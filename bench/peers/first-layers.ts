import { mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const CACHE = fileURLToPath(new URL('../.cache/', import.meta.url));

interface Entry {
  dtype: string;
  shape: number[];
  data_offsets: [number, number];
}

/** The folder of the first `layers` layers of a GPT-2 in one safetensors file, embeddings and final norm included, made once. */
export async function firstLayers(folder: string, layers: number, cache = CACHE): Promise<string> {
  const made = join(cache, `${basename(folder)}-first-${layers}`);
  if (await stat(made).catch(() => null)) return made;
  const config = JSON.parse(await readFile(join(folder, 'config.json'), 'utf8')) as { n_layer: number };
  if (!(layers >= 1 && layers <= config.n_layer)) throw new Error(`firstLayers: expected 1 to ${config.n_layer} layers, got ${layers}`);
  const draft = `${made}.${process.pid}`;
  await mkdir(draft, { recursive: true });
  try {
    await writeFile(join(draft, 'config.json'), JSON.stringify({ ...config, n_layer: layers }));
    await copyTensors(join(folder, 'model.safetensors'), join(draft, 'model.safetensors'), (name) => {
      const layer = /(?:^|\.)h\.(\d+)\./.exec(name)?.[1];
      return layer === undefined || Number(layer) < layers;
    });
    await rename(draft, made);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
  return made;
}

async function copyTensors(from: string, to: string, wanted: (name: string) => boolean): Promise<void> {
  const [source, target] = [await open(from), await open(to, 'w')];
  try {
    const length = Number((await source.read(Buffer.alloc(8), 0, 8, 0)).buffer.readBigUInt64LE());
    const header = JSON.parse((await source.read(Buffer.alloc(length), 0, length, 8)).buffer.toString()) as Record<string, Entry>;
    const kept = Object.entries(header).filter(([name]) => name !== '__metadata__' && wanted(name));
    let end = 0;
    const placed = kept.map(([name, { data_offsets: at, ...entry }]) => {
      const start = end;
      end += at[1] - at[0];
      return [name, { ...entry, data_offsets: [start, end] }];
    });
    const written = Buffer.from(JSON.stringify(Object.fromEntries(placed)));
    const prefix = Buffer.alloc(8);
    prefix.writeBigUInt64LE(BigInt(written.length));
    await target.writev([prefix, written]);
    for (const [, { data_offsets: at }] of kept) {
      const bytes = Buffer.allocUnsafe(at[1] - at[0]);
      await source.read(bytes, 0, bytes.length, 8 + length + at[0]);
      await target.writeFile(bytes);
    }
  } finally {
    await source.close();
    await target.close();
  }
}
