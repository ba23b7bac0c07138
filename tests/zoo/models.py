"""The zoo's files that are architectures of keras.applications, and what those hold with 1,000 classes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
ZOO = ROOT / "examples" / "zoo"
CASES = Path(__file__).parent / "cases"


@dataclass(frozen=True)
class Known:
    """An architecture: the file, the function of keras.applications, its numbers of weights, a size to compare at."""

    path: Path
    application: str
    parameters: int
    trainable: int
    size: int

    @property
    def name(self) -> str:
        return self.path.stem


KNOWN = [
    Known(ZOO / "vgg16.nn", "VGG16", 138_357_544, 138_357_544, 32),
    Known(ZOO / "resnet50.nn", "ResNet50", 25_636_712, 25_583_592, 64),
    Known(ZOO / "resnet50v2.nn", "ResNet50V2", 25_613_800, 25_568_360, 64),
    Known(ZOO / "mobilenet_v2.nn", "MobileNetV2", 3_538_984, 3_504_872, 64),
    Known(ZOO / "densenet121.nn", "DenseNet121", 8_062_504, 7_978_856, 64),
    Known(ZOO / "inception_v3.nn", "InceptionV3", 23_851_784, 23_817_352, 96),
    Known(ZOO / "xception.nn", "Xception", 22_910_480, 22_855_952, 71),
    Known(ZOO / "efficientnet_b0.nn", "EfficientNetB0", 5_330_571, 5_288_548, 65),
]
"""The eight of the zoo. Odd sizes are there on purpose: padding is where they tell the truth."""

CASE = [
    Known(CASES / "mobilenet_v3_small.nn", "MobileNetV3Small", 2_554_968, 2_542_856, 64),
    Known(CASES / "nasnet_mobile.nn", "NASNetMobile", 5_326_716, 5_289_978, 75),
    Known(CASES / "inception_resnet_v2.nn", "InceptionResNetV2", 55_873_736, 55_813_192, 75),
    Known(CASES / "efficientnet_v2b0.nn", "EfficientNetV2B0", 7_200_312, 7_139_704, 64),
    Known(CASES / "convnext_tiny.nn", "ConvNeXtTiny", 28_589_128, 28_589_128, 32),
]
"""Others, which try what the language can say."""
