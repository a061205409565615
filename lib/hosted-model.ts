import {
  EngineError,
  analyze,
  resolveRequest,
  withTexts,
  type AnalyzeRequest,
  type Answer,
  type Control,
  type Model,
} from './engine/index.ts';
import type { Codec } from './tokens.ts';
import type { TokenText } from './wire.ts';

/** In characters, of a text to be split into tokens. */
const TEXT_LIMIT = 200_000;
/** A prompt of more characters than this a token is too long, whatever its tokens are. */
const CHARACTERS_PER_TOKEN = 64;

/** A model together with its tokenizer, if it has one: what a server's engine and a browser's answer with. */
export class HostedModel {
  #texts: string[] | null = null;

  constructor(
    readonly model: Model,
    readonly codec: Codec | null,
  ) {}

  async analyze(request: AnalyzeRequest, control: Control): Promise<Answer> {
    const { context, vocabulary } = this.model.spec;
    const limit = Math.max(10_000, context * CHARACTERS_PER_TOKEN);
    for (const [where, text] of textsOf(request)) {
      if (text.length <= limit) continue;
      throw new EngineError('bad-tokens', where, `at most ${context} tokens, the model's context`, `${text.length} characters`);
    }
    return withTexts(await analyze(this.model, resolveRequest(request, this.codec, vocabulary), control), this.codec);
  }

  tokenize(text: string, special: boolean): TokenText[] {
    if (text.length > TEXT_LIMIT) throw new EngineError('bad-request', 'text', `at most ${TEXT_LIMIT} characters`, `${text.length}`);
    const codec = this.#neededCodec();
    return codec.encode(text, special).map((id) => ({ id, text: codec.text(id) }));
  }

  /** Exact text first, then text that starts with the query, then text that contains it; digits also find the id. */
  searchTokens(query: string, limit: number): TokenText[] {
    const codec = this.#neededCodec();
    const { vocabulary } = this.model.spec;
    this.#texts ??= Array.from({ length: vocabulary }, (_, id) => (id < codec.size ? codec.text(id) : ''));
    const hits = this.#texts.flatMap((text, id) => {
      const order = rank(text, id, query);
      return order === null ? [] : [{ id, text, order }];
    });
    hits.sort((a, b) => a.order - b.order || a.text.length - b.text.length || a.id - b.id);
    return hits.slice(0, limit).map(({ id, text }) => ({ id, text }));
  }

  #neededCodec(): Codec {
    if (this.codec) return this.codec;
    throw new EngineError('bad-request', 'text', 'token ids, since this model has no tokenizer.json', 'text');
  }
}

function rank(text: string, id: number, query: string): number | null {
  const wanted = query.toLowerCase();
  const plain = text.toLowerCase();
  if (text === query || String(id) === query) return 0;
  if (plain.trim() === wanted.trim()) return 1;
  if (plain.trimStart().startsWith(wanted.trimStart())) return 2;
  return plain.includes(wanted) ? 3 : null;
}

/** Every prompt of a request that is text, by what errors call it. */
function textsOf({ prompt, counterfactual, prompts, referencePrompts }: AnalyzeRequest): [string, string][] {
  const given: [string, string | number[] | undefined][] = [
    ['prompt', prompt],
    ['counterfactual', counterfactual],
  ];
  for (const [field, set] of Object.entries({ prompts, 'reference prompts': referencePrompts })) {
    if (!set || 'generator' in set) continue;
    set.examples.forEach((example, index) => {
      given.push([`${field} example ${index + 1}: clean`, example.clean]);
      given.push([`${field} example ${index + 1}: counterfactual`, example.counterfactual]);
    });
  }
  return given.filter((entry): entry is [string, string] => typeof entry[1] === 'string');
}
