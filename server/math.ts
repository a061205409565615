import katex from 'katex';
import { Markup, markup } from '../lib/figures/markup.ts';

/** Characters of a formula, formulas of a page, and characters of them all: what is beyond stays as it was written. */
const LONGEST = 2000;
const MOST = 300;
const ALL = 50_000;

/** Formulas as MathML, which browsers draw without fonts or scripts of ours. */
export function mathRenderer(): (tex: string, display: boolean) => Markup {
  let drawn = 0;
  let length = 0;
  return (tex, display) => {
    drawn += 1;
    length += tex.length;
    const written = markup`<code>${tex}</code>`;
    if (tex.length > LONGEST || drawn > MOST || length > ALL) return written;
    try {
      return new Markup(
        katex.renderToString(tex, {
          output: 'mathml',
          displayMode: display,
          throwOnError: true,
          trust: false,
          strict: 'ignore',
          maxExpand: 200,
          maxSize: 20,
        }),
      );
    } catch {
      // What is no formula is shown as its author wrote it.
      return written;
    }
  };
}
