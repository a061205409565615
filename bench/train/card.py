"""Render the model card; every figure comes from the measurements."""

from __future__ import annotations

import textwrap
from collections import Counter

from corpus import Facts

INTRODUCTIONS = {
    "attn-2l": """# attn-2l

A small English language model of two attention-only layers, with LayerNorm and learned positions and
without MLPs. It exists to show attention heads at work, above all induction heads: heads that look for
an earlier occurrence of the current token and attend to the token that followed it. It is no chat model
and no source of facts.
""",
    "gpt-4l": """# gpt-4l

A small English language model of GPT-2's architecture: four layers of attention and MLPs, LayerNorm,
GELU, learned positions. It exists so that questions about what is not linear in a transformer have a
real model at hand. It was grown from `attn-2l`: it began as that model and was trained on with MLPs and
two more layers, on the same text with the same tokenizer. It is no chat model and no source of facts.
""",
}

SOURCES = """
`bench/train/measure.py` wrote this card from its own measurements; `card.json` holds the same figures
for programs. `bench/train/README.md` tells how to repeat everything.
"""

LIMITS = """## Limits of use

- The text is that of American presidents and of two novelists of the nineteenth century, with their
  vocabulary, their subjects and their prejudices. Everyday modern English, code and other languages
  are not in it; they are split into many short tokens and predicted badly.
- The model sees one window of its context length, always beginning with the `<|endoftext|>` token that
  the tokenizer prepends. Without that token, or past that length, the figures above do not hold.
"""

OWN_LIMITS = {
    "attn-2l": """- Without MLPs and with two layers it knows little beyond word pairs, short phrases and what it can copy
  from the prompt. Its sentences are not to be believed.
""",
    "gpt-4l": """- Four layers of this width, trained for an hour, know little beyond the phrases of these books and what
  they can copy from the prompt. Its sentences are not to be believed.
- What its first two layers' heads do began in `attn-2l`, some of it guided (see there). How such heads
  form, or how MLPs and attention come to share work from the start, cannot be read off it.
""",
}

EXAMPLES_LIMIT = """- The example prompts were chosen because they work well. In many other sentences a single repetition
  raises the repeated token less, and the ordinary word pair wins.
"""

START = "positions start as sinusoids and are learned from there"
START_FROM = (
    "as `{0}`: its embedding, positions, attention layers, final norm and unembedding, with the MLPs and the further "
    "layers writing nothing yet; then all weights are trained"
)

PLAIN = """- A part of the training windows repeats a span of text or random tokens on purpose, so it copies more
  eagerly than a model trained on plain text alone. Conclusions about how induction heads form in other
  models should not be drawn from it.
"""

GUIDED = """- A part of the training windows repeats a span of text or random tokens on purpose, and for a while
  some heads were guided towards induction, so it copies more eagerly than a model trained on plain text
  alone. Conclusions about how induction heads form in other models should not be drawn from it.
"""


def thousands(value: float) -> str:
    return f"{value:,.0f}"


def paragraph(text: str) -> str:
    return textwrap.fill(text, 100, break_long_words=False, break_on_hyphens=False) + "\n"


def table(header: list[str], rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(cells) + " |" for cells in [header, ["---"] * len(header), *rows]]
    return "\n".join(lines) + "\n"


def architecture(found: Facts) -> str:
    shape = found["architecture"]
    files = found["files"]
    total = sum(file["bytes"] for file in files.values())
    mlp = f"each with an MLP of {shape['d_mlp']}, GELU by its tanh form" if shape["d_mlp"] else "attention only (no MLP)"
    norms = "before each half of a layer" if shape["d_mlp"] else "before each layer"
    form = "Hugging Face GPT-2" if shape["d_mlp"] else "TransformerLens"
    rows = [
        ["layers", f"{shape['n_layers']}, {mlp}"],
        ["heads", f"{shape['n_heads']} a layer, {shape['d_head']} wide"],
        ["residual stream", str(shape["d_model"])],
        ["norm", f"LayerNorm {norms} and before the unembedding, epsilon {shape['epsilon']}"],
        ["positions", f"learned, {shape['n_ctx']}"],
        ["vocabulary", f"{thousands(shape['d_vocab'])} entries of byte-level BPE, `<|endoftext|>` prepended"],
        ["unembedding", "untied, without bias" if shape["d_mlp"] else "untied, with bias"],
        ["parameters", thousands(found["parameters"])],
        ["storage", f"float32 safetensors in the {form} layout; {total / 1e6:.2f} MB with the tokenizer"],
    ]
    digests = [[f"`{name}`", thousands(file["bytes"]), f"`{file['sha256']}`"] for name, file in files.items()]
    return "## Architecture\n\n" + table(["part", "value"], rows) + "\n" + table(["file", "bytes", "SHA-256"], digests)


def data(found: Facts) -> str:
    header = ["text", "package", "licence", "documents (train / validation / held out)", "bytes"]
    rows = []
    for source in found["data"]["sources"]:
        counts = " / ".join(str(source[f"{split}_documents"]) for split in ("train", "valid", "test"))
        rows.append([source["title"], source["package"], source["licence"], counts, thousands(source["bytes"])])
    tokens = {split: thousands(count) for split, count in found["data"]["tokens"].items()}
    note = paragraph(
        "A document is one address or one chapter. Whole documents are kept apart: neither the model nor the tokenizer "
        f"saw the validation and held-out ones. Tokens: {tokens['train']} to train on, {tokens['valid']} for "
        f"validation, {tokens['test']} held out. Typographic quotes were made straight and line breaks inside "
        "paragraphs removed."
    )
    return "## Data and licences\n\n" + table(header, rows) + "\n" + note


def phase_row(phase: Facts) -> list[str]:
    mix = phase["mix"]
    counts = " / ".join(str(mix[kind]) for kind in ("text", "repeated_span", "random_repeat"))
    fresh = phase.get("fresh", 1.0)
    rate = f"{phase['learning_rate']}" + (f"; {fresh:g} times that for what is new" if fresh != 1.0 else "")
    return [str(phase["start"]), counts, rate, str(phase["guidance"])]


def guided(facts: Facts) -> str:
    """What to know about the phases in which heads were guided."""
    bounds = [phase["start"] for phase in facts["phases"][1:]] + [facts["step"]]
    spans = [
        (phase["start"], bound)
        for phase, bound in zip(facts["phases"], bounds, strict=True)
        if phase["guidance"] and bound > phase["start"]
    ]
    if not spans:
        return ""
    heads = facts["guided"]
    return paragraph(
        f"For {sum(end - begin for begin, end in spans)} steps ("
        + ", ".join(f"{begin} to {end}" for begin, end in spans)
        + f") a passing loss on the random windows drew head {heads['previous']} to the previous token and heads "
        f"{' and '.join(heads['induction'])} to the tokens after earlier occurrences. In the "
        f"{thousands(facts['step'] - spans[-1][1])} steps after that all heads were trained on the prediction of "
        "tokens alone."
    )


def recipe_rows(facts: Facts) -> list[list[str]]:
    first, second = facts["betas"]
    rate = "by phase" if len(facts["phases"]) > 1 else "level"
    rows = [
        ["passes over the training text", str(facts["passes_over_training_text"])],
        ["steps", f"{thousands(facts['step'])} of {facts['batch']} windows of {facts['window']} tokens"],
        [
            "optimiser",
            f"AdamW, betas {first} and {second}, weight decay {facts['weight_decay']} on matrices, "
            f"gradient clip {facts['clip']}",
        ],
        [
            "learning rate",
            f"{rate}; warm-up {facts['warmup_steps']} steps, linear to zero over the last {facts['decay_share']:.0%}",
        ],
        ["start", START_FROM.format(facts["grown_from"]) if facts.get("grown_from") else START],
    ]
    if facts["link_step"] is not None:
        link = (
            f"from step {facts['link_step']} on the unembedding is trained as a free matrix plus the embedding times "
            "a learned one; stored as their sum"
        )
        rows.append(["link", link])
    return [*rows, ["seed", str(facts["seed"])]]


def training(found: Facts) -> str:
    facts = found["training"]
    phases, kinds = facts["phases"], facts["tokens_by_kind"]
    steps: Counter[int] = Counter()
    for leg in facts["legs"]:
        steps[leg["threads"]] += leg["steps"]
    threads = ", ".join(f"{thousands(count)} steps with {number} thread(s)" for number, count in steps.items())
    rows = [
        ["tokens seen", thousands(facts["tokens"])],
        ["of these ordinary text", thousands(kinds["text"])],
        ["of these text with a repeated span", thousands(kinds["repeated_span"])],
        ["of these repeated random tokens", thousands(kinds["random_repeat"])],
        *recipe_rows(facts),
        ["hardware", f"{facts['hardware']}; {threads}"],
        ["time", f"{facts['seconds'] / 60:.0f} minutes, other programs running beside it"],
    ]
    kinds_title = "windows of text / with repeated span / of repeated random tokens"
    header = ["from step", kinds_title, "learning rate", "weight of guidance"]
    parts = ["## Training\n", table(["what", "value"], rows), table(header, [phase_row(phase) for phase in phases])]
    parts += [said for said in [guided(facts)] if said]
    if facts["step"] < facts["planned_steps"]:
        planned = thousands(facts["planned_steps"])
        parts.append(paragraph(f"These are weights from the middle of training: {planned} steps are planned."))
    return "\n".join(parts)


def held_out(found: Facts) -> str:
    text = found["held_out"]
    tuned = text["baselines_tuned"]
    others = [name for name in INTRODUCTIONS if name in text]
    names = {"model": found["architecture"]["name"]} | {name: name for name in (*others, "trigram", "bigram", "unigram")}
    header = ["text", "tokens"] + [f"{title}, nats/token (bits/byte)" for title in names.values()]
    rows = []
    for label, part in [("all", text), *text["by_source"].items()]:
        cells = [f"{part[name]['nats_per_token']:.3f} ({part[name]['bits_per_byte']:.3f})" for name in names]
        rows.append([label, thousands(part["tokens"]), *cells])
    gains = {
        name: text[name]["nats_per_token"] - text["model"]["nats_per_token"] for name in (*others, "trigram", "bigram")
    }
    said = ", ".join(f"{abs(gain):.3f} {'better' if gain > 0 else 'worse'} than {name}" for name, gain in gains.items())
    reading = paragraph(
        f"{text['documents']} documents, {thousands(text['bytes'])} bytes; all columns are about the same "
        f"tokens. In nats per token the model is {said}. It reads each document in consecutive windows, so a window's "
        "first tokens have little context; the n-grams always see the true tokens before."
    )
    fitted = paragraph(
        "Baselines: counted on the training text, tuned on the validation text. Unigram: "
        f"{tuned['unigram_addend']} added to every count. Bigram: interpolated absolute discounting, discount "
        f"{tuned['bigram_discount']}, lower order: {tuned['bigram_lower_order']} counts. Trigram: the same upon the "
        f"bigram, discount {tuned['trigram_discount']}."
    )
    return "\n".join(["## Loss on held-out text\n", table(header, rows), reading, fitted])


def heads(found: Facts) -> str:
    setting = found["score_setting"]
    rows = [
        [
            f"{head['layer']}.{head['head']}",
            *(f"{head[name]:.3f}" for name in ("induction", "previous_token", "previous_token_on_text")),
        ]
        for head in found["heads"]
    ]
    repeats = [
        [str(row["period"]), f"{row['first_copy']:.3f}", f"{row['second_copy']:.3f}", f"{row['best_induction']:.3f}"]
        for row in found["random_repeats"]
    ]
    ways = paragraph(
        f"On {setting['sequences']} sequences of `<|endoftext|>` and {setting['period']} uniformly random tokens twice "
        f"(seed {setting['seed']}). Induction: mean attention from each position of the second copy to the token "
        "after the previous occurrence. Previous token: mean attention from each position to the one before it, "
        "where that is not the `<|endoftext|>`; the last column is the same on held-out text. A head is named "
        "layer.head."
    )
    strong = [
        name for (name, *_), head in zip(rows, found["heads"], strict=True) if head["induction"] > setting["gate"]
    ]
    previous = max(found["heads"], key=lambda head: head["previous_token"])
    result = paragraph(
        f"Induction heads (score above {setting['gate']}): {', '.join(strong) or 'none'}. Strongest previous-token "
        f"head: {previous['layer']}.{previous['head']}."
    )
    gap = f"Float32 logits differ from a float64 recomputation with NumPy by at most {found['float64_gap']:.1e}.\n"
    scores = table(["head", "induction", "previous token", "previous token, held-out text"], rows)
    losses = table(["period", "first copy, nats/token", "second copy, nats/token", "best induction score"], repeats)
    title = "Loss on repeated random tokens, where only copying can help:\n"
    return "\n".join(["## Scores by head\n", ways, scores, result, title, losses, gap])


def mlps(found: Facts) -> str:
    worth = found.get("mlps")
    if not worth:
        return ""
    rows = [[f"m{row['layer']}", f"{row['mean']:.3f}", f"{row['zero']:.3f}"] for row in worth["layers"]]
    ways = paragraph(
        f"Loss on {thousands(worth['tokens'])} held-out tokens, which is {worth['clean']:.3f} nats/token for the model as "
        "it is, when what one MLP writes is replaced by its mean or by zeros, everything behind it recomputed."
    )
    header = ["MLP", "its mean in its place, nats/token", "zeros in its place, nats/token"]
    return "\n".join(["## What each MLP is worth\n", ways, table(header, rows)])


def limits(found: Facts) -> str:
    guided = GUIDED if any(phase["guidance"] for phase in found["training"]["phases"]) else PLAIN
    return LIMITS + OWN_LIMITS[found["architecture"]["name"]] + EXAMPLES_LIMIT + guided


def render(found: Facts) -> str:
    parts = [architecture(found), data(found), training(found), held_out(found), heads(found), mlps(found), limits(found)]
    return "\n".join([INTRODUCTIONS[found["architecture"]["name"]] + SOURCES, *filter(None, parts)])
