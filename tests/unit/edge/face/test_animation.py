"""The face in time: easing, blinking, looking, breathing."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.emotions import EMOTIONS
from edge.face.animation import Animator
from edge.face.draw import draw
from edge.face.pose import POSES, Pose, as_vector
from edge.messages import SHOWN, Mood, Sense

FRAME_S = 1 / 12


def mood(shown: str, probability: float = 0.9, **others: object) -> Mood:
    likely = np.full(7, (1 - probability) / 6)
    if shown in EMOTIONS:
        likely[EMOTIONS.index(shown)] = probability
    return Mood(0.0, shown, likely, **others)  # type: ignore[arg-type]


def settled(animator: Animator, shown: Mood, t_s: float = 0.0, for_s: float = 1.5) -> float:
    end_s = t_s + for_s
    while t_s < end_s:
        animator.pose(shown, t_s)
        t_s += FRAME_S
    return t_s


def way(pose: Pose, start: str, end: str) -> float:
    """How far the mouth's width is from that of *start* to that of *end*, 0-1."""
    first, last = POSES[start].mouth.width, POSES[end].mouth.width
    return (pose.mouth.width - first) / (last - first)


def test_reacts_in_the_first_picture_after_a_change() -> None:
    animator = Animator()
    t_s = settled(animator, mood("neutral"))
    before = draw(animator.pose(mood("neutral"), t_s)).tobytes()
    first = animator.pose(mood("happy"), t_s + FRAME_S)
    assert 0.1 < way(first, "neutral", "happy") < 0.9
    assert draw(first).tobytes() != before


def test_reacts_at_once_even_if_no_time_has_passed() -> None:
    animator = Animator()
    t_s = settled(animator, mood("neutral"))
    animator.pose(mood("neutral"), t_s)
    assert way(animator.pose(mood("happy"), t_s), "neutral", "happy") > 0.02


def test_is_nearly_there_after_a_quarter_of_a_second() -> None:
    animator = Animator()
    t_s = settled(animator, mood("neutral"))
    for step in range(1, 26):
        pose = animator.pose(mood("happy"), t_s + 0.01 * step)
    assert 0.9 < way(pose, "neutral", "happy") < 1.05


def test_eases_without_jumps() -> None:
    animator = Animator()
    t_s = settled(animator, mood("sad"))
    ways = [
        way(animator.pose(mood("surprise"), t_s + 0.01 * n), "sad", "surprise") for n in range(80)
    ]
    steps = np.abs(np.diff(ways))
    assert steps.max() < 0.12
    assert max(ways) < 1.06
    assert ways[-1] == pytest.approx(1.0, abs=0.01)


def test_a_change_after_a_pause_is_still_a_movement() -> None:
    animator = Animator()
    t_s = settled(animator, mood("neutral"))
    assert way(animator.pose(mood("happy"), t_s + 60.0), "neutral", "happy") < 0.8


def test_shows_a_certain_emotion_more_strongly() -> None:
    widths = []
    for probability in (0.35, 0.6, 0.95):
        animator = Animator()
        t_s = settled(animator, mood("happy", probability), for_s=3.0)
        widths.append(animator.pose(mood("happy", probability), t_s).mouth.width)
    assert widths[0] < widths[1] < widths[2]
    assert widths[0] > POSES["neutral"].mouth.width + 5


def blinks(seed: int, fps: float = 12.0, seconds: float = 150.0) -> list[float]:
    """When the eyes close, in seconds."""
    animator, times, shut = Animator(seed), [], False
    for frame in range(int(seconds * fps)):
        t_s = frame / fps
        closed = animator.pose(mood("neutral"), t_s).left.openness < 0.5
        if closed and not shut and t_s > 2:
            times.append(t_s)
        shut = closed
    return times


def test_blinks_as_often_and_as_irregularly_as_people() -> None:
    gaps = np.diff(blinks(seed=1))
    assert 8 <= 60 / gaps.mean() <= 30  # blinks a minute
    assert gaps.std() > 0.3 * gaps.mean()
    assert gaps.max() < 12


def test_no_blink_is_missed_between_slow_pictures() -> None:
    fast, slow = len(blinks(seed=2, fps=40, seconds=50)), len(blinks(seed=2, fps=5, seconds=50))
    assert slow >= 0.7 * fast > 0  # double blinks may melt into one


def test_a_blink_is_short() -> None:
    animator = Animator(4)
    closed_s = sum(
        0.02 for n in range(1500) if animator.pose(mood("neutral"), n / 50).left.openness < 0.5
    )
    assert 0 < closed_s < 0.05 * 30


def test_looks_at_the_person_mirrored() -> None:
    poses = {}
    for x in (-0.8, 0.8):
        animator = Animator()
        t_s = settled(animator, mood("neutral", gaze=(x, 0.4)))
        poses[x] = animator.pose(mood("neutral", gaze=(x, 0.4)), t_s)
    assert poses[0.8].gaze_x == pytest.approx(-0.8, abs=0.02)
    assert poses[-0.8].gaze_x == pytest.approx(0.8, abs=0.02)
    assert poses[0.8].gaze_y == pytest.approx(0.4, abs=0.02)


def test_glances_about_when_there_is_nobody_to_look_at() -> None:
    animator = Animator()
    gazes = {round(animator.pose(mood("neutral"), n * 0.5).gaze_x, 1) for n in range(80)}
    assert len(gazes) >= 3
    assert max(abs(gaze) for gaze in gazes) <= 0.5


def test_sleeps_breathing_and_snoring_when_nobody_is_there() -> None:
    animator = Animator()
    t_s = settled(animator, mood("nobody"))
    poses = [animator.pose(mood("nobody"), t_s + n * FRAME_S) for n in range(80)]
    assert all(pose.left.openness < 0.05 for pose in poses)
    assert all(pose.extras.snore > 0.95 for pose in poses)
    heights = [pose.shift_y for pose in poses]
    assert 2.0 < max(heights) - min(heights) < 5.0
    assert len({draw(pose).tobytes() for pose in poses}) > 10


def test_marks_lost_senses_at_once_and_takes_the_mark_back() -> None:
    animator = Animator()
    t_s = settled(animator, mood("happy"))
    lost = mood("happy", voice=Sense("lost", trouble="It is gone."))
    pose = animator.pose(lost, t_s)
    assert (pose.extras.camera_lost, pose.extras.microphone_lost) == (0.0, 1.0)
    assert animator.pose(mood("happy"), t_s + FRAME_S).extras.microphone_lost == 0.0


@given(
    st.lists(st.tuples(st.sampled_from(SHOWN), st.floats(0.0, 3.0)), min_size=1, max_size=30),
    st.integers(0, 1000),
)
@settings(max_examples=30, deadline=None)
def test_same_seed_moods_and_times_make_the_same_finite_poses(
    course: list[tuple[str, float]], seed: int
) -> None:
    def run() -> list[Pose]:
        animator, t_s, poses = Animator(seed), 5.0, []
        for shown, dt_s in course:
            t_s += dt_s
            poses.append(animator.pose(mood(shown), t_s))
        return poses

    poses = run()
    assert poses == run()
    assert all(np.isfinite(as_vector(pose)).all() for pose in poses)


def test_a_clock_that_stands_still_or_steps_back_does_no_harm() -> None:
    animator = Animator()
    t_s = settled(animator, mood("happy"))
    assert np.isfinite(as_vector(animator.pose(mood("sad"), t_s - 5))).all()
    for step in range(20):
        pose = animator.pose(mood("sad"), t_s + step * FRAME_S)
    assert way(pose, "happy", "sad") == pytest.approx(1.0, abs=0.05)


def test_a_still_face_is_seldom_redrawn() -> None:
    """A calm face must not keep the I2C bus busy: most pictures equal the one before."""
    animator = Animator()
    watching = mood("neutral", gaze=(0.1, 0.1))
    t_s = settled(animator, watching, for_s=3.0)
    frames = [draw(animator.pose(watching, t_s + n * FRAME_S)).tobytes() for n in range(120)]
    changes = sum(a != b for a, b in pairwise(frames))
    assert 0 < changes < 60
