import rehypeKatex from 'rehype-katex';
import remarkMath from 'remark-math';

/** Formulas as MathML, which browsers draw without fonts or styles of ours; what is no formula stays as it was written. */
export const mathPlugins = {
  remark: [remarkMath],
  rehype: [[rehypeKatex, { output: 'mathml', trust: false, strict: 'ignore', maxExpand: 200, maxSize: 20 }]],
} satisfies { remark: unknown[]; rehype: unknown[] } as never;
