"""What the two heads of the face net say together."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from edge.emotions import EMOTIONS
from edge.perception.probability import softmax

FERPLUS: Final = (
    "neutral",
    "happy",
    "surprise",
    "sad",
    "angry",
    "disgust",
    "fear",
    "contempt",
)
"""The eight emotions of the FER+ votes (Barsoum et al. 2016), in their order, by Mien's names."""

_SEVEN_OF_EIGHT: Final = [FERPLUS.index(emotion) for emotion in EMOTIONS]
"""Where each of the seven stands in `FERPLUS`. Contempt is none of them; its share is left out."""


@dataclass(frozen=True)
class FaceHeads:
    """Blends both heads: a weighted geometric mean, which is a blend of the logits."""

    ferplus_share: float
    """Weight of the FER+ head, 0 to 1; the FER2013 head has the rest."""
    temperature: float
    """Divides the blend so that probabilities mean what they say (Guo et al. 2017)."""
    offsets: tuple[float, ...] = (0.0,) * len(EMOTIONS)
    """Added to the blend, [7], in the order of `EMOTIONS`: they take back that the net has learned some
    emotions from many faces and others from few (logit adjustment, Menon et al. 2021)."""

    def blend(
        self, fer2013: NDArray[np.floating[Any]], ferplus: NDArray[np.floating[Any]]
    ) -> NDArray[np.float64]:
        """Logits [..., 7] and [..., 8] -> probabilities [..., 7] in the order of `EMOTIONS`."""
        seven = np.asarray(ferplus, np.float64)[..., _SEVEN_OF_EIGHT]
        blended = (1 - self.ferplus_share) * np.asarray(fer2013) + self.ferplus_share * seven
        return softmax(blended + np.asarray(self.offsets), self.temperature)


def blend_weights(
    fer2013: NDArray[np.floating[Any]], ferplus: NDArray[np.floating[Any]], ferplus_share: float
) -> NDArray[np.float64]:
    """What each emotion's blend makes of the feature map: heads [7, c] and [8, c] -> [7, c]."""
    rows = np.asarray(ferplus, np.float64)[_SEVEN_OF_EIGHT]
    weights: NDArray[np.float64] = (1 - ferplus_share) * fer2013 + ferplus_share * rows
    return weights


def class_map(
    features: NDArray[np.floating[Any]], weights: NDArray[np.floating[Any]]
) -> NDArray[np.float64]:
    """Where in the crop the net saw an emotion (class-activation map, Zhou et al. 2016).

    features: the net's last feature map [h, w, channels]. weights: [channels] of the emotion, less
    the mean over all emotions, so that only what tells it from the others counts. Gives [h, w];
    its mean is the emotion's logit above the average emotion's, without the bias.
    """
    drawn: NDArray[np.float64] = np.asarray(features, np.float64) @ weights
    return drawn
