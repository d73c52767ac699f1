"""ResNet-like macro space of AnalogNAS: genes, architectures, layers, references. Only `network` imports torch."""

from ohmnas.spaces.resnet.architecture import Architecture, MainBlock
from ohmnas.spaces.resnet.references import REFERENCES, reference
from ohmnas.spaces.resnet.space import MUTATION_RATES, ResNetSpace

__all__ = ["MUTATION_RATES", "REFERENCES", "Architecture", "MainBlock", "ResNetSpace", "reference"]
