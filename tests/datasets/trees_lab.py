"""Tiny raw folders of datasets recorded in a laboratory or taken from films, in the published layouts."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import av
import numpy as np

from tests.datasets.trees import write_image, write_text

OULU_LIGHTS = (("VL", "Strong"), ("VL", "Weak"), ("NI", "Strong"))


def write_video(path: Path, frames: int, size: tuple[int, int] = (64, 48), codec: str = "mpeg4") -> Path:
    """Write a video whose frame n has the grey value 8 n."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=24)
        stream.width, stream.height = size
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        for number in range(frames):
            pixels = np.full((size[1], size[0], 3), 8 * number, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())
    return path


def ck_plus(root: Path, sequences: Mapping[str, tuple[int, int | None]]) -> Path:
    """CK+: sequence such as ``S005/001`` -> number of frames and emotion code."""
    for sequence, (frames, code) in sequences.items():
        stem = sequence.replace("/", "_")
        for number in range(1, frames + 1):
            write_image(root / f"cohn-kanade-images/{sequence}/{stem}_{number:08d}.png")
            points = [f"   {x}.5000000e+00   2.0000000e+01" for x in range(68)]
            write_text(root / f"Landmarks/{sequence}/{stem}_{number:08d}_landmarks.txt", *points)
        (root / f"Emotion/{sequence}").mkdir(parents=True)
        if code is not None:
            write_text(root / f"Emotion/{sequence}/{stem}_{frames:08d}_emotion.txt", f"   {code}.0000000e+00")
    return root


def mmi(root: Path, sessions: Mapping[int, tuple[str, int, int | None]]) -> Path:
    """MMI: session -> video, view and emotion code."""
    for number, (video, view, code) in sessions.items():
        folder = root / f"Sessions/{number}"
        write_video(folder / f"{video}.avi", 9)
        write_text(
            folder / "session.xml",
            '<?xml version="1.0" encoding="ISO-8859-1"?>',
            f'<session sessionId="{number}"><subject id="7"/>',
            f'<track type="Video" filename="{video}.avi" view="{view}"><annotation filename="{video}.xml"/></track>',
            "</session>",
        )
        tag = "" if code is None else f'<Metatag Name="Emotion" Value="{code}"/>'
        write_text(folder / f"{video}.xml", f"<ActionUnitCoding>{tag}</ActionUnitCoding>")
    return root


def oulu_casia(root: Path, folder: str, subjects: Sequence[str], emotions: Sequence[str], frames: int = 5) -> Path:
    """Oulu-CASIA: strong visible light and, to be left alone, weak and infrared recordings; originals or crops."""
    spectrum = "{}_Acropped" if "rocess" in folder else "{}"
    for light in (f"{spectrum.format(name)}/{light}" for name, light in OULU_LIGHTS):
        for subject in subjects:
            for emotion in emotions:
                for number in range(frames):
                    write_image(root / folder / f"{light}/{subject}/{emotion}/{number:03d}.jpeg")
    return root


def multi_pie(root: Path, recordings: Sequence[str], cameras: Sequence[str], lights: Sequence[int]) -> Path:
    """Multi-PIE: recordings such as ``001_01_01`` (subject, session, recording) and its list of subjects."""
    for recording in recordings:
        subject, session, number = recording.split("_")
        folder = root / f"data/session{session}"
        for camera in cameras:
            for light in lights:
                name = f"{recording}_{camera.replace('_', '')}_{light:02d}.png"
                write_image(folder / f"multiview/{subject}/{number}/{camera}/{name}")
        write_image(folder / f"highres/{subject}/{recording}.png")
    write_text(root / "meta/subject_list.txt", "001 1970 Male 1 1 0 1", "002 1985 Female 1 0 0 0")
    return root


def aff_wild2(
    root: Path,
    frames: Mapping[str, Sequence[int]],
    expressions: Mapping[str, Sequence[int]],
    valence_arousal: Mapping[str, Sequence[tuple[float, float]]],
    names: str = "Neutral,Anger,Disgust,Fear,Happiness,Sadness,Surprise",
) -> Path:
    """Aff-Wild2: frames with an image by video; annotations by ``Train_Set/<video>`` or ``Validation_Set/...``."""
    for video, numbers in frames.items():
        for number in numbers:
            write_image(root / f"cropped_aligned/{video}/{number:05d}.jpg", (112, 112))
    for video, codes in expressions.items():
        write_text(root / f"annotations/EXPR_Set/{video}.txt", names, *(str(code) for code in codes))
    for video, values in valence_arousal.items():
        lines = (f"{valence},{arousal}" for valence, arousal in values)
        write_text(root / f"annotations/VA_Set/{video}.txt", "valence,arousal", *lines)
    return root
