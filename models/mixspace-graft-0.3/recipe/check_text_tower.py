"""Check: the rebuilt text tower against the package's own ONNX file (8 bits, so not to the last digit).

    python check_text_tower.py
"""

import numpy as np
import onnx
import onnxruntime
import torch

from text_tower import embed, original_model, text_tower, token_ids

TEXTS = (
    "a dog runs through the snow",
    "ein Hund rennt durch den Schnee",
    "一条狗在雪地里奔跑",
    "Un chien court dans la neige.",
    "犬が雪の中を走る",
    "Two men in ice hockey uniforms are trying to catch the puck .",
    "x",
)


def original_session():
    """The original without its tokenizer, which is a custom op: ids and row splits become its inputs."""
    model = original_model()
    tokenizer = next(node for node in model.graph.node if node.op_type == "SentencepieceTokenizer")
    model.graph.node.remove(tokenizer)
    del model.graph.input[:]
    ids, splits = tokenizer.output
    model.graph.input.append(onnx.helper.make_tensor_value_info(ids, onnx.TensorProto.INT32, [None]))
    model.graph.input.append(onnx.helper.make_tensor_value_info(splits, onnx.TensorProto.INT64, [None]))
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session, ids, splits


def main():
    session, ids, splits = original_session()
    ours = embed(TEXTS).numpy()
    for text, embedding in zip(TEXTS, ours):
        tokens = np.array(token_ids(text), np.int32)
        (theirs,) = session.run(None, {ids: tokens, splits: np.array([0, len(tokens)])})
        print(f"cosine {float(theirs[0] @ embedding):.5f}  {text}")

    tokens = torch.tensor([token_ids(TEXTS[0])])
    padded = torch.nn.functional.pad(tokens, (0, 40), value=7)
    mask = torch.arange(padded.shape[1])[None] < tokens.shape[1]
    alone, beside = text_tower()(tokens, torch.ones_like(tokens)), text_tower()(padded, mask.long())
    print(f"padding changes {float((alone - beside).abs().max()):.1e}")


if __name__ == "__main__":
    main()
