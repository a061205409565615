import { EngineError } from './errors.ts';
import { readGptNeo } from './families/gpt-neo.ts';
import { readGpt2 } from './families/gpt2.ts';
import { readLlama } from './families/llama.ts';
import { readNeoX } from './families/neox.ts';
import type { Config } from './families/reader.ts';
import { readTransformerLens } from './families/transformer-lens.ts';
import type { ModelSpec } from './spec.ts';
import type { TensorTable } from './weights.ts';

/** What each family's config and tensors mean; a new family is a row here and a file beside the others. */
const FAMILIES: readonly { modelType: string | null; read(config: Config, tensors: TensorTable): ModelSpec }[] = [
  { modelType: 'gpt2', read: readGpt2 },
  { modelType: 'gpt_neox', read: readNeoX },
  { modelType: 'gpt_neo', read: readGptNeo },
  { modelType: 'llama', read: readLlama },
  { modelType: 'qwen2', read: readLlama },
  // TransformerLens writes no model_type
  { modelType: null, read: readTransformerLens },
];

/** @throws EngineError `unsupported` or `bad-config` naming the field, `bad-weights` naming the tensor */
export function readSpec(config: unknown, tensors: TensorTable): ModelSpec {
  if (typeof config !== 'object' || config === null || Array.isArray(config)) {
    throw new EngineError('bad-config', 'config.json', 'a JSON object', JSON.stringify(config)?.slice(0, 80) ?? 'nothing');
  }
  const modelType = 'model_type' in config ? config.model_type : 'n_layers' in config ? null : undefined;
  const family = FAMILIES.find((candidate) => candidate.modelType === modelType);
  if (!family) {
    const known = FAMILIES.flatMap((candidate) => (candidate.modelType === null ? [] : [`"${candidate.modelType}"`]));
    const expected = `model_type ${known.join(', ')}, or a TransformerLens config with n_layers`;
    const got = modelType === undefined ? 'no model_type and no n_layers' : `model_type ${JSON.stringify(modelType)}`;
    throw new EngineError('unsupported', 'config.json', expected, got);
  }
  return family.read(config as Config, tensors);
}
