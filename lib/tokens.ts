import { Tokenizer } from '@huggingface/tokenizers';

/** Text to token ids and back, as a model's tokenizer.json says. */
export interface Codec {
  /** @param special add the special tokens that tokenizer.json names */
  encode(text: string, special: boolean): number[];
  /** One token as text; bytes that are no character alone show as �. */
  text(id: number): string;
  /** Number of ids that the tokenizer knows. */
  size: number;
}

/** @param tokenizer the parsed tokenizer.json */
export function createCodec(tokenizer: object): Codec {
  const inner = new Tokenizer(tokenizer, {});
  return {
    encode: (text, special) => inner.encode(text, { add_special_tokens: special }).ids,
    text: (id) => inner.decode([id], { skip_special_tokens: false, clean_up_tokenization_spaces: false }),
    size: inner.get_vocab().size,
  };
}
