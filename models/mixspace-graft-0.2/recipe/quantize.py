"""Smaller weights. Nothing is quantised dynamically: what one input gives never depends on the others in its batch."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

BLOCK = 64
SHRINKS = np.linspace(0.7, 1, 13)
# The first convolutions stay float32: they see every picture's full range, and cost little.
FLOAT_CONVOLUTIONS = 6


def table_in_4_bits(model, name):
    """Turns the Gather over the table `name` into GatherBlockQuantized: signed, in blocks of 64."""
    table = numpy_helper.to_array(take_initializer(model, name))
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


def matrices_in_8_bits(model):
    """Stores weight matrices as int8, a scale per output; the runtime folds them back to float32 when it loads."""
    used_as = {}
    for node in model.graph.node:
        if node.op_type in ("MatMul", "Gemm"):
            transposed = any(a.name == "transB" and a.i for a in node.attribute)
            used_as[node.input[1]] = 1 if transposed else 0
    for name, axis in used_as.items():
        if not any(tensor.name == name for tensor in model.graph.initializer):
            continue
        weight = numpy_helper.to_array(take_initializer(model, name))
        scale = (np.abs(weight).max(axis, keepdims=True) / 127).astype(np.float32)
        codes = np.rint(weight / scale).astype(np.int8)
        model.graph.initializer.extend(
            [numpy_helper.from_array(codes, f"{name}.int8"), numpy_helper.from_array(scale, f"{name}.scale")]
        )
        model.graph.node.insert(0, helper.make_node("Mul", [f"{name}.float", f"{name}.scale"], [name]))
        model.graph.node.insert(0, helper.make_node("Cast", [f"{name}.int8"], [f"{name}.float"], to=TensorProto.FLOAT))


def take_initializer(model, name):
    tensor = next(tensor for tensor in model.graph.initializer if tensor.name == name)
    model.graph.initializer.remove(tensor)
    return tensor


class Batches(CalibrationDataReader):
    def __init__(self, batches):
        self.batches = iter(batches)

    def get_next(self):
        return next(self.batches, None)


def convolutions_in_8_bits(source, target, batches):
    """Static: the activations' scales are measured once on training pictures and stored."""
    prepared = source.with_suffix(".prepared.onnx")
    quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)
    convolutions = [node.name for node in onnx.load(str(prepared)).graph.node if node.op_type == "Conv"]
    quantize_static(
        str(prepared),
        str(target),
        Batches({"pixel_values": batch} for batch in batches),
        quant_format=QuantFormat.QDQ,
        op_types_to_quantize=["Conv", "Add", "Clip"],
        nodes_to_exclude=convolutions[:FLOAT_CONVOLUTIONS],
        per_channel=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
    )
