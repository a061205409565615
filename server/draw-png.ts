import { Resvg, initWasm } from '@resvg/resvg-wasm';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** Draws an SVG as PNG. The renderer is WebAssembly and brings its fonts: it needs nothing of the machine. */
export type DrawPng = (svg: string) => Promise<Uint8Array>;

const FONTS = ['DejaVuSans.ttf', 'DejaVuSans-Bold.ttf', 'DejaVuSansMono.ttf'];

/** Loads nothing before it is asked for the first time. */
export function createDrawPng(): DrawPng {
  let loaded: Promise<Uint8Array[]> | null = null;
  return async (svg) => {
    const fontBuffers = await (loaded ??= load());
    const renderer = new Resvg(svg, { font: { fontBuffers, loadSystemFonts: false, defaultFontFamily: 'DejaVu Sans' } });
    try {
      return renderer.render().asPng();
    } finally {
      renderer.free();
    }
  };
}

let initialised: Promise<void> | null = null;

async function load(): Promise<Uint8Array[]> {
  const { resolve } = createRequire(import.meta.url);
  await (initialised ??= readFile(resolve('@resvg/resvg-wasm/index_bg.wasm')).then(initWasm));
  const folder = join(dirname(resolve('dejavu-fonts-ttf/package.json')), 'ttf');
  return Promise.all(FONTS.map((file) => readFile(join(folder, file))));
}
