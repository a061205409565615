import { EngineError } from '../errors.ts';
import type { Example } from '../request.ts';
import type { Texts } from '../texts.ts';
import { different, type Drawing } from './generator.ts';

/** Tokens of the sequence that is repeated. */
const LENGTH = 8;
/** Ids below this are asked whether they are special: tokenizers put those first. */
const SPECIAL_BELOW = 4;
/** Draws before tokens that are not special are called too few. */
const TRIES = 1000;

/**
 * Random tokens A B … H A B … G, answered by H. The counterfactual has another token in the place of the first H,
 * which is the foil: its run has no copy of the answer to attend to. Needs no tokenizer.
 */
export function inductionPrompts({ texts, vocabulary, count, draws }: Drawing): Example[] {
  return different('induction', count, () => {
    const drawn = new Set<number>();
    for (let tries = 0; drawn.size < LENGTH + 1; tries++) {
      if (tries === TRIES) throw tooFew(drawn.size);
      const id = draws.below(vocabulary);
      if (!texts || isPlain(id, texts)) drawn.add(id);
    }
    const [foil, ...sequence] = [...drawn];
    const start = sequence.slice(0, -1);
    return {
      clean: [...sequence, ...start],
      counterfactual: [...start, foil!, ...start],
      target: String(sequence.at(-1)),
      foil: String(foil),
    };
  });
}

function isPlain(id: number, texts: Texts): boolean {
  if (id < SPECIAL_BELOW && texts.encode('', true).includes(id)) return false;
  const text = texts.text(id);
  return text !== '' && !(id < SPECIAL_BELOW && /^(?:<.*>|\[.*\])$/.test(text));
}

function tooFew(found: number): EngineError {
  return new EngineError('unsupported', 'induction prompts', `at least ${LENGTH + 1} tokens that are not special`, `${found}`);
}
