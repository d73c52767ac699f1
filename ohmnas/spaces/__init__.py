"""What can be searched and what it costs: genomes, architectures, exact costs, chips. Only `network` imports torch."""

from ohmnas.spaces.architecture import Architecture, MainBlock
from ohmnas.spaces.hardware import Hardware, hardware
from ohmnas.spaces.reference import REFERENCES, reference
from ohmnas.spaces.resnet import ResNetSpace

__all__ = ["REFERENCES", "Architecture", "Hardware", "MainBlock", "ResNetSpace", "hardware", "reference"]
