"""GPT-2 folders as TransformerLens models with their weights as they are, on either generation of the library."""

import importlib.metadata
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

Hook = tuple[str, Callable[..., Any]]
FLAGS = ("use_attn_result", "use_split_qkv_input", "use_hook_mlp_in")


class Lens:
    """A loaded model, and the few things that HookedTransformer (up to 3) and TransformerBridge (from 4) do differently."""

    def __init__(self, model: Any, bridged: bool, flags: tuple[str, ...]):
        self.model, self.bridged, self.flags = model, bridged, flags
        self.layers, self.heads = int(model.cfg.n_layers), int(model.cfg.n_heads)

    @property
    def settings(self) -> dict[str, Any]:
        kind = "TransformerBridge" if self.bridged else "HookedTransformer"
        return {"class": kind, "weightProcessing": False, **{flag: flag in self.flags for flag in FLAGS}}

    @contextmanager
    def hooked(self, hooks: list[Hook], backward: list[Hook], last_only: bool) -> Iterator[Callable[[torch.Tensor], torch.Tensor]]:
        """A forward pass with these hooks in place: logits [1, S, V], or [1, 1, V] where only the last position is asked for."""
        more, keep = self._last_position(last_only)
        with self.model.hooks(fwd_hooks=[*hooks, *more], bwd_hooks=backward):
            yield lambda tokens: self.model(tokens, **keep)

    def logits(self, tokens: torch.Tensor, hooks: list[Hook], last_only: bool) -> torch.Tensor:
        with self.hooked(hooks, [], last_only) as forward:
            return forward(tokens)

    def logits_from(self, layer: int, stream: torch.Tensor, tokens: torch.Tensor, hooks: list[Hook], last_only: bool) -> torch.Tensor:
        """The same with everything before `layer` known; TransformerBridge runs those layers all the same, so it gets the tokens."""
        if self.bridged or layer == 0:
            return self.logits(tokens, hooks, last_only)
        more, _ = self._last_position(last_only)
        return self.model.run_with_hooks(stream, start_at_layer=layer, fwd_hooks=[*hooks, *more])

    def _last_position(self, last_only: bool) -> tuple[list[Hook], dict[str, Any]]:
        if not last_only:
            return [], {}
        return ([], {"logits_to_keep": 1}) if self.bridged else ([("ln_final.hook_normalized", keep_last)], {})

    def writes(self, layer: int) -> torch.Tensor:
        """W_O [H, d_head, d]."""
        return self.model.W_O[layer]

    def head_constant(self, layer: int, head: int) -> torch.Tensor:
        """(beta W_V + b_V) W_O of a head: part of TransformerLens's `hook_result`, counted elsewhere by Pathboard."""
        model, norm = self.model, self.model.blocks[layer].ln1
        beta = norm.original_component.bias if self.bridged else norm.b
        return (beta @ model.W_V[layer, head] + model.b_V[layer, head]) @ model.W_O[layer, head]


def keep_last(normalized: torch.Tensor, hook: Any) -> torch.Tensor:
    return normalized[:, -1:]


def load(folder: Path, flags: tuple[str, ...] = ()) -> Lens:
    """@raises SystemExit when the folder is no GPT-2"""
    config = json.loads((folder / "config.json").read_text())
    if config.get("model_type") != "gpt2":
        raise SystemExit(f"{folder}: expected model_type gpt2")
    bridged = int(importlib.metadata.version("transformer-lens").split(".")[0]) >= 4
    model = (load_bridge if bridged else load_hooked)(config, read_weights(folder))
    model.eval().requires_grad_(False)
    for flag in flags:
        getattr(model, f"set_{flag}")(True)
    return Lens(model, bridged, flags)


def read_weights(folder: Path) -> dict[str, torch.Tensor]:
    stored = load_file(folder / "model.safetensors")
    named = {name.removeprefix("transformer."): tensor for name, tensor in stored.items()}
    return {name: tensor for name, tensor in named.items() if not name.endswith((".attn.bias", ".attn.masked_bias"))}


def load_bridge(config: dict[str, Any], weights: dict[str, torch.Tensor]) -> Any:
    from transformer_lens.model_bridge.sources import build_bridge_from_module
    from transformers import GPT2Config, GPT2LMHeadModel

    hf_config = GPT2Config(**config, attn_implementation="eager")
    with torch.device("meta"):
        hf = GPT2LMHeadModel(hf_config)
    head = weights.pop("lm_head.weight", weights["wte.weight"])
    hf.load_state_dict({**{f"transformer.{name}": tensor for name, tensor in weights.items()}, "lm_head.weight": head}, strict=True, assign=True)
    return build_bridge_from_module(hf, "GPT2LMHeadModel", hf_config=hf_config, dtype=torch.float32, device="cpu", model_name="gpt2")


def load_hooked(config: dict[str, Any], weights: dict[str, torch.Tensor]) -> Any:
    from transformer_lens import HookedTransformer, HookedTransformerConfig

    layers, heads, d = config["n_layer"], config["n_head"], config["n_embd"]
    lens_config = HookedTransformerConfig(
        n_layers=layers,
        n_heads=heads,
        d_model=d,
        d_head=d // heads,
        d_mlp=config.get("n_inner") or 4 * d,
        n_ctx=config["n_positions"],
        d_vocab=config["vocab_size"],
        act_fn=config["activation_function"],
        eps=config["layer_norm_epsilon"],
        normalization_type="LN",
        original_architecture="GPT2LMHeadModel",
        init_weights=False,
        device="cpu",
        dtype=torch.float32,
    )
    model = HookedTransformer(lens_config, move_to_device=False)
    fitting = {name: tensor.contiguous() for name, tensor in hooked_weights(weights, layers, heads, d).items()}
    missing, unexpected = model.load_state_dict(fitting, strict=False, assign=True)
    wrong = [name for name in missing if not name.endswith((".mask", ".IGNORE"))] + unexpected
    if wrong:
        raise SystemExit(f"weights that do not fit: {', '.join(wrong)}")
    return model


def hooked_weights(weights: dict[str, torch.Tensor], layers: int, heads: int, d: int) -> dict[str, torch.Tensor]:
    unembedding = weights.get("lm_head.weight", weights["wte.weight"]).T
    named = {
        "embed.W_E": weights["wte.weight"],
        "pos_embed.W_pos": weights["wpe.weight"],
        "ln_final.w": weights["ln_f.weight"],
        "ln_final.b": weights["ln_f.bias"],
        "unembed.W_U": unembedding,
        "unembed.b_U": torch.zeros(unembedding.shape[1]),
    }
    for layer in range(layers):
        of, to = f"h.{layer}.", f"blocks.{layer}."
        for part, weight, bias in zip("QKV", weights[f"{of}attn.c_attn.weight"].chunk(3, 1), weights[f"{of}attn.c_attn.bias"].chunk(3), strict=True):
            named[f"{to}attn.W_{part}"] = weight.reshape(d, heads, -1).transpose(0, 1)
            named[f"{to}attn.b_{part}"] = bias.reshape(heads, -1)
        named[f"{to}attn.W_O"] = weights[f"{of}attn.c_proj.weight"].reshape(heads, -1, d)
        named[f"{to}attn.b_O"] = weights[f"{of}attn.c_proj.bias"]
        for norm, theirs in (("ln1", "ln_1"), ("ln2", "ln_2")):
            named[f"{to}{norm}.w"], named[f"{to}{norm}.b"] = weights[f"{of}{theirs}.weight"], weights[f"{of}{theirs}.bias"]
        for part, theirs in (("in", "c_fc"), ("out", "c_proj")):
            named[f"{to}mlp.W_{part}"], named[f"{to}mlp.b_{part}"] = weights[f"{of}mlp.{theirs}.weight"], weights[f"{of}mlp.{theirs}.bias"]
    return named
