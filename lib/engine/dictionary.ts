import { EngineError } from './errors.ts';
import { Reader, type Config } from './families/reader.ts';
import { stageOf } from './names.ts';
import type { Graph } from './onnx.ts';
import type { FloatTensor, Runtime, Tensor } from './runtime.ts';
import { Sessions } from './sessions.ts';
import type { ModelSpec, Weight } from './spec.ts';
import type { TensorTable } from './weights.ts';

/**
 * Sparse dictionaries [D1]: autoencoders of the stream or of an MLP's output, and transcoders, in SAELens' layout
 * (`cfg.json`, `sae_weights.safetensors`), versions 2 to 6.
 */

/** What it explains: the stream at one point, an MLP's output from itself, an MLP's output from what the MLP reads. */
export type DictionaryKind = 'residual' | 'mlp-out' | 'transcoder';

export interface DictionarySpec {
  kind: DictionaryKind;
  /** of its features' names: the layer in the hook's name */
  layer: number;
  /** as the file names them, such as `blocks.2.hook_mlp_out` */
  hook: string;
  hookOut: string | null;
  /** number of features */
  width: number;
  dModel: number;
  /** what a feature makes of its pre-activation; it is never negative */
  activation: 'relu' | 'jumprelu' | 'topk';
  /** `topk`: how many features may be active at a token */
  k: number | null;
  /** `topk`: features are ranked by pre-activation times the norm of what they write */
  ranksByNorm: boolean;
  /** the encoder reads x − b_dec */
  decoderBiasInInput: boolean;
  /** trained on a stream whose mean over channels was taken away */
  centred: boolean;
  /** `transcoder`: reads the MLP's normed input, γ and β included; else the stream before the norm */
  readsNormed: boolean;
  /**
   * `residual`: sources of stages below this one make up the stream that it explains. Otherwise the stage of its MLP.
   */
  stage: number;
  weights: DictionaryWeights;
}

interface DictionaryWeights {
  /** [d, F] */
  encoder: Weight;
  /** [F]; null = zeros */
  encoderBias: Weight | null;
  /** [F, d] */
  decoder: Weight;
  /** [d] */
  decoderBias: Weight;
  /** [F], `jumprelu` */
  threshold: Weight | null;
}

/** Where a model's dictionaries come from. */
export interface DictionaryStore {
  /** By name or hash. @throws EngineError `bad-request` naming those that there are */
  open(name: string): Promise<Dictionary>;
  close(): Promise<void>;
}

/**
 * By the order of their layers.
 * @throws EngineError `bad-request` where there are none of these names, or two of one layer
 */
export async function openDictionaries(model: { dictionaries: DictionaryStore | null }, names: readonly string[]): Promise<Dictionary[]> {
  if (names.length === 0) return [];
  const { dictionaries: store } = model;
  if (!store) throw new EngineError('bad-request', 'dictionary', 'none: this engine has no dictionaries', names.join());
  const opened = await Promise.all(names.map((name) => store.open(name)));
  opened.sort((a, b) => a.spec.layer - b.spec.layer || a.spec.stage - b.spec.stage);
  const second = opened.find(({ spec }, index) => spec.layer === opened[index - 1]?.spec.layer);
  if (second)
    throw new EngineError(
      'bad-request',
      'dictionary',
      `one dictionary of layer ${second.spec.layer}, whose features are f${second.spec.layer}`,
      'two',
    );
  return opened;
}

const KEPT_SESSIONS = 16;

/** A dictionary that runs: graphs of its own weights alone. */
export class Dictionary {
  readonly #sessions: Sessions;

  constructor(
    readonly name: string,
    readonly hash: string,
    readonly spec: DictionarySpec,
    runtime: Runtime,
  ) {
    this.#sessions = new Sessions(runtime, KEPT_SESSIONS);
  }

  run(name: string, make: (spec: DictionarySpec) => Graph, feeds: Record<string, Tensor | null>): Promise<Record<string, FloatTensor>> {
    return this.#sessions.run(name, () => make(this.spec), feeds);
  }

  close(): Promise<void> {
    return this.#sessions.close();
  }
}

const CFG = 'cfg.json';
const ARCHITECTURES = {
  standard: { activation: 'relu', transcoder: false },
  jumprelu: { activation: 'jumprelu', transcoder: false },
  topk: { activation: 'topk', transcoder: false },
  transcoder: { activation: 'relu', transcoder: true },
  jumprelu_transcoder: { activation: 'jumprelu', transcoder: true },
} as const;
/** What transformers were loaded with that changes what an MLP's normed input is. */
const FOLDING = ['fold_ln', 'refactor_factored_attn_matrices'];

/**
 * What a directory holds, proven to fit the model.
 * @throws EngineError `bad-config`, `bad-weights` or `unsupported` naming the field or tensor
 */
export function readDictionary(cfg: unknown, tensors: TensorTable, model: ModelSpec): DictionarySpec {
  if (typeof cfg !== 'object' || cfg === null || Array.isArray(cfg)) throw new EngineError('bad-config', CFG, 'a JSON object', shown(cfg));
  const config = flattened(cfg as Config);
  const reader = new Reader(config, tensors, '', CFG);
  const architecture = ARCHITECTURES[architectureOf(config, reader)];
  const place = placeOf(config, architecture.transcoder, model);
  refuseOthers(config, reader, place);
  const dModel = reader.size('d_in');
  if (dModel !== model.dModel) throw new EngineError('bad-config', `${CFG}: d_in`, `${model.dModel}, the model's width`, String(dModel));
  const dOut = architecture.transcoder ? reader.size('d_out') : dModel;
  if (dOut !== dModel) throw new EngineError('bad-config', `${CFG}: d_out`, `${dModel}, as d_in`, String(dOut));
  const width = reader.size('d_sae');
  const { activation } = architecture;
  const k = activation === 'topk' ? topKOf(config, width) : null;
  const weights = {
    encoder: reader.weight('W_enc', [dModel, width]),
    encoderBias: reader.optional('b_enc', [width]),
    decoder: reader.weight('W_dec', [width, dModel]),
    decoderBias: reader.weight('b_dec', [dModel]),
    threshold: activation === 'jumprelu' ? reader.weight('threshold', [width]) : null,
  };
  // A buffer of older versions, proven to be all ones where the numbers are read.
  reader.requireAllRead(/^scaling_factor$/);
  return {
    ...place,
    width,
    dModel,
    activation,
    k,
    ranksByNorm: config['rescale_acts_by_decoder_norm'] === true,
    decoderBiasInInput: !architecture.transcoder && config['apply_b_dec_to_input'] !== false,
    centred: isCentred(config, model),
    weights,
  };
}

/** One level of fields by their names of version 6, whichever version wrote them. */
function flattened(cfg: Config): Config {
  const { metadata, ...own } = cfg;
  const inner = typeof metadata === 'object' && metadata !== null ? (metadata as Config) : {};
  const config: Config = { ...inner, ...own };
  const renamed = { hook_point: 'hook_name', hook_point_head_index: 'hook_head_index', activation_fn_str: 'activation_fn' };
  for (const [old, name] of Object.entries(renamed)) config[name] ??= config[old];
  for (const name of Object.keys(config)) if (config[name] === undefined || config[name] === null) delete config[name];
  return config;
}

/** Before version 6 `standard` could mean TopK by its activation function. */
function architectureOf(config: Config, reader: Reader): keyof typeof ARCHITECTURES {
  config['architecture'] ??= 'standard';
  const known = Object.fromEntries(Object.keys(ARCHITECTURES).map((name) => [name, name as keyof typeof ARCHITECTURES]));
  const named = reader.oneOf('architecture', known);
  return named === 'standard' && config['activation_fn'] === 'topk' ? 'topk' : named;
}

const HOOK =
  /^blocks\.(0|[1-9]\d{0,5})\.(hook_resid_pre|hook_resid_mid|hook_resid_post|hook_mlp_out|hook_mlp_in|mlp\.hook_in|ln2\.hook_normalized)$/;

type Place = Pick<DictionarySpec, 'kind' | 'layer' | 'hook' | 'hookOut' | 'readsNormed' | 'stage'>;

function placeOf(config: Config, isTranscoder: boolean, model: ModelSpec): Place {
  const hook = config['hook_name'];
  const hookOut = config['hook_name_out'] ?? null;
  const { layer, point } = hookOf('hook_name', hook, model);
  const mlpStage = () => stageOf({ kind: 'mlp', layer }, model);
  if (!isTranscoder) {
    if (hookOut !== null && hookOut !== hook) {
      throw new EngineError('unsupported', `${CFG}: hook_name_out`, 'that of hook_name, or a transcoder', shown(hookOut));
    }
    const place = { layer, hook: hook as string, hookOut: null, readsNormed: false };
    if (point === 'hook_mlp_out') return { ...place, kind: 'mlp-out', stage: mlpStage() };
    return { ...place, kind: 'residual', stage: boundaryOf(layer, point, model) };
  }
  const out = hookOf('hook_name_out', hookOut, model);
  if (out.point !== 'hook_mlp_out' || out.layer !== layer) {
    throw new EngineError(
      'unsupported',
      `${CFG}: hook_name_out`,
      `blocks.${layer}.hook_mlp_out, of the layer that it reads`,
      shown(hookOut),
    );
  }
  // After γ and β in HookedTransformer; TransformerBridge has a point of this name before them, and mlp.hook_in behind.
  if (point === 'ln2.hook_normalized' && config['model_class_name'] === 'TransformerBridge') {
    throw new EngineError('unsupported', `${CFG}: hook_name`, `blocks.${layer}.mlp.hook_in of a TransformerBridge`, shown(hook));
  }
  const readsNormed = point === 'ln2.hook_normalized' || point === 'mlp.hook_in';
  const streams = model.parallel ? ['hook_resid_pre', 'hook_mlp_in'] : ['hook_resid_mid', 'hook_mlp_in'];
  if (!readsNormed && !streams.includes(point)) {
    const expected = `what the MLP of its layer reads: ${['mlp.hook_in', 'ln2.hook_normalized', ...streams].map((name) => `blocks.${layer}.${name}`).join(', ')}`;
    throw new EngineError('unsupported', `${CFG}: hook_name`, expected, shown(hook));
  }
  return { kind: 'transcoder', layer, hook: hook as string, hookOut: hookOut as string, readsNormed, stage: mlpStage() };
}

function hookOf(field: string, hook: unknown, { layers, hasMlp }: ModelSpec): { layer: number; point: string } {
  const match = typeof hook === 'string' ? HOOK.exec(hook) : null;
  if (!match) {
    const expected =
      'blocks.L.hook_resid_pre, hook_resid_mid, hook_resid_post, hook_mlp_out, or of a transcoder also hook_mlp_in, mlp.hook_in, ln2.hook_normalized';
    throw new EngineError('unsupported', `${CFG}: ${field}`, expected, shown(hook));
  }
  const [, layer, point] = match;
  if (Number(layer) >= layers) throw new EngineError('bad-config', `${CFG}: ${field}`, `a layer below ${layers}`, shown(hook));
  if (!hasMlp && !point!.startsWith('hook_resid'))
    throw new EngineError('bad-config', `${CFG}: ${field}`, 'a point of an attention-only model', shown(hook));
  return { layer: Number(layer), point: point! };
}

/** The stage that is the first to read the stream at this point. */
function boundaryOf(layer: number, point: string, model: ModelSpec): number {
  const before = (at: number) =>
    at === model.layers ? stageOf({ kind: 'logits' }, model) : stageOf({ kind: 'head', layer: at, head: 0 }, model);
  if (point === 'hook_resid_pre') return before(layer);
  if (point === 'hook_resid_post') return before(layer + 1);
  if (point === 'hook_resid_mid' && model.hasMlp && !model.parallel) return stageOf({ kind: 'mlp', layer }, model);
  const expected = 'hook_resid_pre, hook_resid_post, or hook_resid_mid where the MLP follows attention';
  throw new EngineError('unsupported', `${CFG}: hook_name`, expected, `blocks.${layer}.${point}`);
}

/** Whatever would make other numbers than the graphs do. */
function refuseOthers(config: Config, reader: Reader, { readsNormed }: Place): void {
  reader.require('activation_fn', ['relu', 'topk']);
  reader.require('normalize_activations', ['none', false]);
  reader.require('reshape_activations', ['none']);
  reader.require('hook_head_index', [undefined]);
  reader.require('finetuning_scaling_factor', [false]);
  reader.require('use_ghost_grads', [false, true]);
  const kwargs = kwargsOf(config);
  const folding = FOLDING.find((name) => kwargs[name] === true);
  if (readsNormed && folding) {
    throw new EngineError('unsupported', `${CFG}: model_from_pretrained_kwargs.${folding}`, 'a norm with its own γ and β', 'true');
  }
}

function topKOf(config: Config, width: number): number {
  const inner = config['activation_fn_kwargs'];
  const k = config['k'] ?? (typeof inner === 'object' && inner !== null ? (inner as Config)['k'] : undefined);
  if (typeof k !== 'number' || !Number.isSafeInteger(k) || k < 1 || k > width)
    throw new EngineError('bad-config', `${CFG}: k`, `from 1 to ${width}`, shown(k));
  return k;
}

/** TransformerLens takes the mean away only from models with LayerNorm, which do not see it. */
function isCentred(config: Config, { norm }: ModelSpec): boolean {
  return norm === 'layer' && kwargsOf(config)['center_writing_weights'] === true;
}

function kwargsOf(config: Config): Config {
  const kwargs = config['model_from_pretrained_kwargs'];
  return typeof kwargs === 'object' && kwargs !== null ? (kwargs as Config) : {};
}

function shown(value: unknown): string {
  return (JSON.stringify(value) ?? 'nothing').slice(0, 200);
}
