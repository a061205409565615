import type { Shape } from './names.ts';

/** A whole stage with its biases [M2]: attention, an MLP, or with parallel blocks both. */
export interface Stage {
  /** `a0`, `m0`; `a0+m0` where both read the same stream */
  name: string;
  layer: number;
  attention: boolean;
  mlp: boolean;
}

/** The stages of a model in the order in which they read the stream; the index is `stageOf` of their nodes. */
export function stagesOf({ layers, hasMlp, parallel }: Shape): Stage[] {
  return Array.from({ length: layers }, (_, layer): Stage[] => {
    const attention = { name: `a${layer}`, layer, attention: true, mlp: false };
    if (!hasMlp) return [attention];
    if (parallel) return [{ name: `a${layer}+m${layer}`, layer, attention: true, mlp: true }];
    return [attention, { name: `m${layer}`, layer, attention: false, mlp: true }];
  }).flat();
}
