"""The face net: a small residual CNN with a head for each label set, in PyTorch, exported to int8."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from torch import Tensor, nn

from convert.training.blocks import Residual
from edge.emotions import EMOTIONS
from edge.perception.face_heads import FERPLUS

_STEM_CHANNELS: Final = 16


class FaceOutputs(NamedTuple):
    """What the net gives for N faces."""

    fer2013: Tensor
    """Logits [N, 7] in the order of `EMOTIONS`, trained on the FER2013 labels."""
    ferplus: Tensor
    """Logits [N, 8] in the order of `FERPLUS`, trained on the FER+ votes."""
    features: Tensor
    """The last feature map [N, channels, h, w]; both heads are linear in its mean over h and w, so
    that a class-activation map (Zhou et al. 2016) is its sum weighted by the class's row."""
    seen: Tensor | None = None
    """Logit [N, 1] that there is a face at all; None of a net without that head."""


class FaceNet(nn.Module):
    """Grey crop -> logits by both label sets.

    Input: float32 [N, 1, H, W] with values (grey - 128) / 128, H and W about 48.
    """

    def __init__(
        self,
        widths: Sequence[int],
        blocks: Sequence[int],
        dropout: float,
        separable: bool = False,
        seen: bool = False,
    ) -> None:
        """Build stages of *blocks* residual blocks with *widths* channels, each half the size.

        *seen*: with a head that tells whether there is a face.
        """
        super().__init__()
        self.blocks = tuple(blocks)
        self.stem = nn.Sequential(
            nn.Conv2d(1, _STEM_CHANNELS, 3, 1, 1, bias=False),
            nn.BatchNorm2d(_STEM_CHANNELS),
            nn.ReLU(inplace=True),
            nn.Conv2d(_STEM_CHANNELS, widths[0], 3, 2, 1, bias=False),
            nn.BatchNorm2d(widths[0]),
            nn.ReLU(inplace=True),
        )
        stages: list[nn.Module] = []
        inputs = widths[0]
        for stage, (width, count) in enumerate(zip(widths, blocks, strict=True)):
            for block in range(count):
                stride = 2 if stage > 0 and block == 0 else 1
                stages.append(Residual(inputs, width, stride, smooth=True, separable=separable))
                inputs = width
        self.stages = nn.Sequential(*stages)
        self.dropout = nn.Dropout(dropout)
        self.fer2013 = nn.Linear(inputs, len(EMOTIONS))
        self.ferplus = nn.Linear(inputs, len(FERPLUS))
        self.seen = nn.Linear(inputs, 1) if seen else None

    def forward(self, x: Tensor) -> FaceOutputs:
        """float32 [N, 1, H, W] -> logits and the feature map behind them."""
        features = self.stages(self.stem(x))
        mean = self.dropout(features.mean(dim=(2, 3)))
        seen = None if self.seen is None else self.seen(mean)
        return FaceOutputs(self.fer2013(mean), self.ferplus(mean), features, seen)


def grow(small: FaceNet, large: FaceNet) -> None:
    """Make *large*, of the same widths and with more blocks, compute what *small* does.

    Each stage's further blocks begin as the identity: their last norm multiplies by zero
    (Chen et al. 2016, "Net2Net"; Goyal et al. 2017).
    """
    state = small.state_dict()
    known = {name: state[name] for name in state if not name.startswith("stages.")}
    target = source = 0
    for had, has in zip(small.blocks, large.blocks, strict=True):
        for block in range(has):
            if block < had:
                head = f"stages.{source + block}."
                known |= {
                    name.replace(head, f"stages.{target + block}.", 1): state[name]
                    for name in state
                    if name.startswith(head)
                }
            else:
                nn.init.zeros_(large.stages[target + block].body[-1].weight)
        source, target = source + had, target + has
    large.load_state_dict(known, strict=False)


class DeviceFaceNet(nn.Module):
    """The net with inputs and outputs as the device has them; the names become the model's."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """float32 [1, H, W, 1] -> fer2013 [1, 7], ferplus [1, 8], features [1, h, w, channels].

        And seen [1, 1], where the net has that head.
        """
        given: FaceOutputs = self.net(x.permute(0, 3, 1, 2))
        outputs = {
            "fer2013": given.fer2013,
            "ferplus": given.ferplus,
            "features": given.features.permute(0, 2, 3, 1),
        }
        return outputs if given.seen is None else {**outputs, "seen": given.seen}
