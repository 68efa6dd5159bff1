"""Multi-PIE's 15 viewpoints.

A positive yaw moves the camera to the person's left, so that the nose points to the image's left.
"""

from openfer.labels import POSES

_ELEVATION = 30.0

VIEWPOINTS: dict[str, tuple[float, float]] = {
    pose: (float(pose.removeprefix("yaw")), 0.0)
    if pose.startswith("yaw")
    else (float(pose.removeprefix("elevated")), _ELEVATION)
    for pose in POSES
}
"""Yaw and pitch of the camera around the face, degrees, by the pose's name."""
