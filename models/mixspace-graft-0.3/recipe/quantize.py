"""Smaller weights, and nothing but weights: what an input gives depends neither on its batch nor on the processor."""

import numpy as np
from onnx import TensorProto, helper, numpy_helper

BLOCK = 64
SMALL = 10_000
SHRINKS = np.linspace(0.7, 1, 13)


def in_4_bits(table):
    """Codes -8 to 7 and a float16 scale for each block of 64 neighbours; the scale is the best of a few."""
    blocks = table.reshape(-1, BLOCK)
    largest = np.take_along_axis(blocks, np.abs(blocks).argmax(1, keepdims=True), 1)
    best = np.full(len(blocks), np.inf, np.float32)
    scales, codes = np.ones(len(blocks), np.float16), np.zeros(blocks.shape, np.int8)
    for shrink in SHRINKS:
        # The largest value lands on -8, the code that has no positive twin.
        scale = (largest[:, 0] * shrink / -8).astype(np.float16)
        scale[scale == 0] = 1
        code = np.clip(np.rint(blocks / scale[:, None].astype(np.float32)), -8, 7).astype(np.int8)
        error = ((code * scale[:, None].astype(np.float32) - blocks) ** 2).sum(1)
        better = error < best
        best[better], scales[better], codes[better] = error[better], scale[better], code[better]
    return codes, scales


def table_as_shipped(table):
    codes, scales = in_4_bits(table)
    return (codes * scales[:, None].astype(np.float32)).reshape(table.shape)


def in_8_bits(weight, axes):
    """Codes -127 to 127, and a float32 scale for all that share their place on the other axes."""
    scale = (np.abs(weight).max(axes, keepdims=True) / 127).astype(np.float32)
    scale[scale == 0] = 1
    return np.rint(weight / scale).astype(np.int8), scale


def table_in_4_bits(model, name):
    """Turns the Gather over the table `name` into GatherBlockQuantized."""
    table = numpy_helper.to_array(take_initializer(model, name))
    codes, scales = in_4_bits(table)
    nibbles = (codes.reshape(-1) & 15).astype(np.uint8)
    packed = nibbles[0::2] | nibbles[1::2] << 4
    model.graph.initializer.extend(
        [
            helper.make_tensor(name, TensorProto.INT4, table.shape, packed.tobytes(), raw=True),
            numpy_helper.from_array(scales.reshape(len(table), -1), f"{name}.scales"),
        ]
    )
    position, gather = next((i, n) for i, n in enumerate(model.graph.node) if name in n.input)
    (output,) = gather.output
    narrow = f"{output}_f16"
    lookup = helper.make_node(
        "GatherBlockQuantized",
        [name, gather.input[1], f"{name}.scales"],
        [narrow],
        domain="com.microsoft",
        gather_axis=0,
        quantize_axis=1,
        block_size=BLOCK,
    )
    model.graph.node.remove(gather)
    model.graph.node.insert(position, helper.make_node("Cast", [narrow], [output], to=TensorProto.FLOAT))
    model.graph.node.insert(position, lookup)
    model.opset_import.append(helper.make_opsetid("com.microsoft", 1))
    model.ir_version = 10


def weights_in_8_bits(model):
    """Stores the weights of matrices and convolutions as int8, a scale per output.

    The runtime folds them back to float32 when it loads. Activations stay float32 too: what 8-bit products give depends
    on the processor, for those without VNNI saturate.
    """
    used_over = {}
    for node in model.graph.node:
        if node.op_type == "Conv":
            weight = next(tensor for tensor in model.graph.initializer if tensor.name == node.input[1])
            if not is_small(weight.dims):
                used_over[weight.name] = (1, 2, 3)
        if node.op_type in ("MatMul", "Gemm"):
            transposed = any(a.name == "transB" and a.i for a in node.attribute)
            used_over[node.input[1]] = (1 if transposed else 0,)
    for name, axes in used_over.items():
        if not any(tensor.name == name for tensor in model.graph.initializer):
            continue
        codes, scale = in_8_bits(numpy_helper.to_array(take_initializer(model, name)), axes)
        model.graph.initializer.extend(
            [numpy_helper.from_array(codes, f"{name}.int8"), numpy_helper.from_array(scale, f"{name}.scale")]
        )
        model.graph.node.insert(0, helper.make_node("Mul", [f"{name}.float", f"{name}.scale"], [name]))
        model.graph.node.insert(0, helper.make_node("Cast", [f"{name}.int8"], [f"{name}.float"], to=TensorProto.FLOAT))


def is_small(shape):
    """A convolution that is depthwise or early: few weights, many of them far apart, so they stay float32."""
    return shape[1] == 1 or np.prod(shape) < SMALL


def convolution_as_shipped(weight):
    if is_small(weight.shape):
        return weight
    codes, scale = in_8_bits(weight, (1, 2, 3))
    return codes * scale


def take_initializer(model, name):
    tensor = next(tensor for tensor in model.graph.initializer if tensor.name == name)
    model.graph.initializer.remove(tensor)
    return tensor
