"""Every setting of Mien: its name, its default, what it may be and what it does.

The settings are read by `edge.config.load`; `docs/settings.md` and `mien config default` are
written from the fields below, so what is said here is what a person reads. The sections of displays,
lights and other adapters stand in the adapters' own files (`edge.config.adapters`).
"""

import os
from typing import TYPE_CHECKING, Literal, TypeVar, get_args

from pydantic import create_model, model_validator

from edge.config.adapters import registry
from edge.config.fields import (
    Emotion,
    Number,
    PinClaim,
    Section,
    Text,
    Weight,
    address_kind,
    refuse,
    setting,
)
from edge.emotions import DEFAULT_PRIOR

if TYPE_CHECKING:
    GateName = str
else:
    GateName = Literal[registry().names("mien.gates")]


class CameraSettings(Section):
    """The camera that watches the face."""

    enabled: bool = setting(True, "Whether a camera is used at all.")
    source: Number | Text = setting(
        "auto",
        'Which camera: "auto" takes the first that delivers, 0 is /dev/video0, a path such as '
        '"/dev/v4l/by-id/..." is that device, "picamera" is the ribbon-cable camera of a Raspberry '
        'Pi and "csi" that of a Jetson; a camera that another package adds goes by its name.',
        allowed='"auto", a number from 0, a path, "picamera" or "csi"',
    )
    width_px: int = setting(640, "Width of the picture asked for.", ge=160, le=1920)
    height_px: int = setting(480, "Height of the picture asked for.", ge=120, le=1080)
    rate_hz: float = setting(30.0, "Pictures a second asked for.", ge=1, le=120)

    @model_validator(mode="after")
    def _camera_is_here(self) -> "CameraSettings":
        if kind := address_kind(self.source):
            raise refuse(
                "source",
                f"[camera] source is an address ({kind}://), and Mien opens cameras of this machine "
                "alone; let another program bring the stream to a v4l2loopback device and name that",
            )
        return self


class MicrophoneSettings(Section):
    """The microphone that listens to the voice."""

    enabled: bool = setting(True, "Whether a microphone is used at all.")
    device: Number | Text = setting(
        "auto",
        'Which microphone: "auto" takes the system\'s own choice, a number or a part of a name is '
        "that of `mien devices`.",
        allowed='"auto", a number from 0, or a part of a name',
    )

    @model_validator(mode="after")
    def _microphone_is_here(self) -> "MicrophoneSettings":
        if kind := address_kind(self.device):
            raise refuse(
                "device",
                f"[microphone] device is an address ({kind}://), and Mien opens microphones of this "
                "machine alone; name one that mien devices lists",
            )
        return self


class FaceSettings(Section):
    """How faces are found."""

    range: Literal["auto", "short", "full"] = setting(
        "auto",
        'How near and far faces are found: "auto" follows those it knows and searches for others from '
        "near to far, from 40 px in a 640 px picture (about 2 m with a usual webcam) to heads larger "
        'than the picture; "full" and "short" look at the whole picture once with one detector: far '
        "ones are missed by the short range, heads that fill the picture by the full one.",
    )
    min_score: float = setting(
        0.5,
        'Faces that the detector is less sure of are not looked at. With "auto" a new face has to reach '
        "0.6 in any case, a far one 0.72, one beside another 0.78.",
        ge=0.1,
        le=0.95,
    )
    search_width_px: int = setting(
        320,
        'With "full" and "short" the picture is scaled down to this width to look for faces; the '
        "detectors scale it down further themselves.",
        ge=96,
        le=1280,
    )


class VoiceSettings(Section):
    """How the voice is read."""

    gate: GateName = setting(
        "silero",
        'Which detector says whether somebody speaks: "silero" is a small neural net, "webrtc" '
        "costs next to nothing and takes a fan for speech as well.",
    )
    gate_threshold: float = setting(
        0.5, "How sure that detector has to be, 0 to 1.", ge=0.05, le=0.95
    )
    interval_s: float = setting(
        0.5, "How often the last seconds of sound are read, in seconds.", ge=0.1, le=5
    )


class FusionSettings(Section):
    """How face and voice become one mood."""

    weights: Literal["bayes", "70-30"] = setting(
        "bayes",
        '"bayes" weighs each sense by how well it sees or hears just now; "70-30" is the classic '
        "fixed sum of 70 % face and 30 % voice.",
    )
    confidence_floor: float = setting(
        0.35, 'Below this probability the mood is shown as "unsure".', ge=0.15, le=0.95
    )
    face_weight: float = setting(
        1.3, 'How much the face counts under "bayes": 0 is not at all, 1 as calibrated.', ge=0, le=4
    )
    voice_weight: float = setting(
        1.3,
        'How much the voice counts under "bayes": 0 is not at all, 1 as calibrated.',
        ge=0,
        le=4,
    )
    nobody_after_s: float = setting(
        1.5,
        "Seconds without a face or a voice after which the display falls asleep.",
        ge=0.5,
        le=60,
    )
    prior: dict[Emotion, Weight] = setting(
        {},
        "How likely each emotion is before anything is seen: all seven of them, in any proportion. "
        "Left out, neutral and happy are likelier than the rest, as the example shows.",
        allowed="all seven emotions, each above 0 and up to 1",
        example=DEFAULT_PRIOR,
    )

    @model_validator(mode="after")
    def _prior_is_whole(self) -> "FusionSettings":
        missing = [name for name in get_args(Emotion) if name not in self.prior]
        if self.prior and missing:
            raise refuse(
                "prior", f"[fusion.prior] has to name all seven emotions: {missing[0]} is missing"
            )
        return self

    @model_validator(mode="after")
    def _something_counts(self) -> "FusionSettings":
        if self.weights == "bayes" and self.face_weight == self.voice_weight == 0:
            raise refuse(
                "face_weight voice_weight",
                "[fusion] face_weight and voice_weight are both 0, so that nothing would ever be "
                "shown; set one of them above 0",
            )
        return self


class SenseSettings(Section):
    """The senses, and how they are joined."""

    camera: CameraSettings = CameraSettings()
    microphone: MicrophoneSettings = MicrophoneSettings()
    face: FaceSettings = FaceSettings()
    voice: VoiceSettings = VoiceSettings()
    fusion: FusionSettings = FusionSettings()


class IdleSettings(Section):
    """What rests while nobody is in view; somebody coming into view ends all of it at once."""

    enabled: bool = setting(True, "Whether anything rests at all.")
    slow_after_s: float = setting(
        10.0,
        "Seconds without anybody after which faces are looked for only twice a second.",
        ge=1,
        le=86400,
    )
    gate_after_s: float = setting(
        60.0,
        "Seconds without anybody after which faces are looked for only every two seconds, and at "
        "once when something moves.",
        ge=1,
        le=86400,
    )
    dim_after_s: float = setting(
        60.0, "Seconds without anybody after which the OLED is dimmed.", ge=1, le=86400
    )
    sleep_after_s: float = setting(
        300.0,
        "Seconds without anybody after which the OLED is switched off, so that its picture does "
        "not burn in; 0 is never.",
        ge=0,
        le=86400,
    )

    @model_validator(mode="after")
    def _one_after_the_other(self) -> "IdleSettings":
        for early, late in (("slow_after_s", "gate_after_s"), ("dim_after_s", "sleep_after_s")):
            early_s, late_s = getattr(self, early), getattr(self, late)
            if self.enabled and 0 < late_s < early_s:
                raise refuse(
                    f"{late} {early}",
                    f"[idle] {early} is {early_s:g} and {late} is {late_s:g}, so that it would come "
                    f"too late; set {early} to {late_s:g} or less, or {late} to {early_s:g} or more",
                )
        return self


class LoadSettings(Section):
    """Reading faces less often on a board that is hot or does not keep up."""

    enabled: bool = setting(True, "Whether the rate is lowered under heat and load.")
    hot_c: float = setting(
        80.0,
        "Temperature of the board from which the rate is lowered, in degrees Celsius. A Raspberry "
        "Pi slows itself down at 80 to 85.",
        ge=50,
        le=100,
    )


class ModelSettings(Section):
    """The neural networks."""

    folder: Text = setting(
        "auto",
        'Folder with the models and their manifest: "auto" is the one that came with Mien.',
        allowed='"auto" or the path of a folder',
    )


class CalibrationSettings(Section):
    """What one person looks and sounds like at rest, as `mien calibrate` found it."""

    file: Text = setting(
        "auto",
        'Where it is kept: "auto" is calibration.json in $STATE_DIRECTORY, else in /var/lib/mien '
        'where that may be written, else in ~/.local/state/mien; "none" does without. It shifts '
        'what counts as evidence under "bayes" and does nothing under "70-30".',
        allowed='"auto", "none" or a path',
    )

    def pin_claims(self) -> list[PinClaim]:
        """The file, where it has a name."""
        if self.file in ("auto", "none"):
            return []
        return [("file", "[calibration] file", os.path.abspath(os.path.expanduser(self.file)))]


class ApplianceSettings(Section):
    """The appliance as a whole."""

    idle: IdleSettings = IdleSettings()
    load: LoadSettings = LoadSettings()
    models: ModelSettings = ModelSettings()
    calibration: CalibrationSettings = CalibrationSettings()


if TYPE_CHECKING:
    _Adapters = SenseSettings
else:
    # The order in which they are shown: senses, adapters, appliance.
    _sections = registry().sections({*SenseSettings.model_fields, *ApplianceSettings.model_fields})
    _Adapters = create_model(
        "_Adapters",
        __base__=SenseSettings,
        **{name: (model, model()) for name, model in _sections.items()},
    )

S = TypeVar("S", bound=Section)


class Settings(ApplianceSettings, _Adapters):
    """All of Mien's settings; `Settings()` are the built-in ones.

    Each adapter adds the section that stands in its own file; `of` gives it.
    """

    def of(self, model: type[S]) -> S:
        """The section that an adapter has added, by its model.

        Raises:
            KeyError: there is no such section.
        """
        for name in type(self).model_fields:
            section = getattr(self, name)
            if type(section) is model:
                return section
        raise KeyError(model.__name__)

    @model_validator(mode="after")
    def _nothing_is_claimed_twice(self) -> "Settings":
        claimed: dict[int | str, tuple[str, str]] = {}
        for section in type(self).model_fields:
            for name, who, what in getattr(self, section).pin_claims():
                path = f"{section}.{name}"
                if what in claimed:
                    other_path, other = claimed[what]
                    remedy = "wire one of them to another pin"
                    if isinstance(what, str):
                        remedy = "give one of them another"
                    named = what if isinstance(what, str) else f"GPIO {what}"
                    raise refuse(
                        f"{path} {other_path}", f"{other} and {who} both claim {named}; {remedy}"
                    )
                claimed[what] = (path, who)
        return self
