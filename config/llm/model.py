"""Writes a language model of half a megabyte, with random weights: `model.py FILE SEED`; needs `gguf` and `numpy`.

What it says is nonsense, and the same nonsense for the same seed. It is a model like any other to a server.
"""

import sys

import gguf
import numpy

WIDTH, INNER, LAYERS, HEADS, CONTEXT = 64, 128, 2, 4, 512
WORDS = "the churn score is high low model customer will stay leave yes no hello world answer one two three"
LETTERS = 'abcdefghijklmnopqrstuvwxyz0123456789.,:{}"[]'
CHAT = "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}assistant:"
NORMAL, UNKNOWN, CONTROL, BYTE = 1, 2, 3, 6
"""Kinds of tokens."""


def write(file: str, seed: int) -> None:
    """Write the model that a seed decides."""
    draw = numpy.random.default_rng(seed)
    special = [("<unk>", UNKNOWN), ("<s>", CONTROL), ("</s>", CONTROL)]
    words = ["\u2581", *(f"\u2581{word}" for word in WORDS.split()), *LETTERS]
    tokens = special + [(f"<0x{byte:02X}>", BYTE) for byte in range(256)] + [(word, NORMAL) for word in words]
    bytes_end = len(special) + 256
    scores = [0.0] * bytes_end + [-1.0 - number for number in range(len(words))]

    writer = gguf.GGUFWriter(file, "llama")
    writer.add_name(f"random-{seed}")
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(WIDTH // HEADS)
    writer.add_vocab_size(len(tokens))
    writer.add_file_type(0)
    writer.add_tokenizer_model("llama")
    writer.add_token_list([token.encode() for token, _ in tokens])
    writer.add_token_types([kind for _, kind in tokens])
    writer.add_token_scores(scores)
    writer.add_unk_token_id(0)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_add_bos_token(True)
    writer.add_chat_template(CHAT)

    def weights(*shape):
        return (draw.standard_normal(shape) * 0.3).astype(numpy.float32)

    output = weights(len(tokens), WIDTH)
    output[len(special) : bytes_end] *= 0.01  # words rather than bytes, most of which are no text by themselves
    writer.add_tensor("token_embd.weight", weights(len(tokens), WIDTH))
    writer.add_tensor("output_norm.weight", numpy.ones(WIDTH, numpy.float32))
    writer.add_tensor("output.weight", output)
    for layer in range(LAYERS):
        for name in ("attn_norm", "ffn_norm"):
            writer.add_tensor(f"blk.{layer}.{name}.weight", numpy.ones(WIDTH, numpy.float32))
        for name in ("attn_q", "attn_k", "attn_v", "attn_output"):
            writer.add_tensor(f"blk.{layer}.{name}.weight", weights(WIDTH, WIDTH))
        writer.add_tensor(f"blk.{layer}.ffn_gate.weight", weights(INNER, WIDTH))
        writer.add_tensor(f"blk.{layer}.ffn_up.weight", weights(INNER, WIDTH))
        writer.add_tensor(f"blk.{layer}.ffn_down.weight", weights(WIDTH, INNER))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


if __name__ == "__main__":
    if len(sys.argv) != 3 or not sys.argv[2].isdecimal():
        raise SystemExit(__doc__)
    write(sys.argv[1], int(sys.argv[2]))
