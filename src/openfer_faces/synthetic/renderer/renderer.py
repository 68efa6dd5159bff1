"""The renderer: a person and a scene in, an image with its landmarks out."""

from dataclasses import dataclass

import numpy as np
import warp as wp

from openfer.seeds import generator_for
from openfer_faces.synthetic.colours import encode
from openfer_faces.synthetic.landmarks import five_points
from openfer_faces.synthetic.movements import units_of_scene
from openfer_faces.synthetic.occluders.face_mask import mask_colour
from openfer_faces.synthetic.people.person import Person
from openfer_faces.synthetic.renderer import kernels, rasteriser, shading
from openfer_faces.synthetic.renderer.light_view import light_view
from openfer_faces.synthetic.renderer.materials import COUNT, Material
from openfer_faces.synthetic.renderer.mesh import Mesh, MeshBuilder
from openfer_faces.synthetic.renderer.rasteriser import DEVICE, WarpArray
from openfer_faces.synthetic.renderer.visibility import visible_points
from openfer_faces.synthetic.scene.background import background_of
from openfer_faces.synthetic.scene.camera import Camera, camera_of
from openfer_faces.synthetic.scene.description import Scene
from openfer_faces.synthetic.scene.lights import Light
from openfer_faces.synthetic.template import Template

SUPERSAMPLING = 2
"""Rendered pixels per image pixel, across and down."""

_SHADOW_SIDE = 256
_SHADOW_CENTRE = np.array([0, 7.05, 0.5])
_SHADOW_RADIUS = 1.75
_FILL = 0.04
_GRAIN = 0.010
"""Deviation of the sensor's noise, share of white."""

_METERED_LIGHT = 0.14
_METERING = 0.55
_MAX_GAIN = 2.2
"""The camera lifts faces darker than this mean light, by about half of what they lack, at most so much."""


@dataclass(frozen=True)
class Rendering:
    """One image.

    Attributes:
        image: RGB, uint8, (S, S, 3).
        points68: the iBUG points in pixels, (68, 2), float32.
        visible68: whether the camera sees each, (68,), bool.
        points5: eye centres, nose tip, mouth corners in pixels, (5, 2), float32.
    """

    image: np.ndarray
    points68: np.ndarray
    visible68: np.ndarray
    points5: np.ndarray


class Renderer:
    """Renders scenes at one image size.

    Args:
        template: what all people share, for that size.
    """

    def __init__(self, template: Template) -> None:
        self._template = template
        self._builder = MeshBuilder(template)
        self._mask_alpha = rasteriser.floats(self._builder.mask.alpha)
        self._eyes = _eyes(template)

    def render(self, person: Person, scene: Scene) -> Rendering:
        """Render one image; the same person and scene give the same bytes.

        Args:
            person: made by the scene's person seed, gender, age and race.
            scene: everything else.
        """
        units = units_of_scene(scene.expression, scene.intensity, scene.seed, scene.manner)
        generator = generator_for(scene.seed, "surroundings")
        mesh = self._builder.build(person, scene, units, generator)
        side = self._template.image_size * SUPERSAMPLING
        camera = camera_of(scene, side)
        screen = _project(mesh.vertices, camera)
        depth, owner = self._buffers(screen, mesh, side)
        folds = self._template.wrinkles.blend(units, person.traits.age_axis)
        colours = _colours(person, generator)
        background = background_of(scene.light, generator)
        light, shadow_map = self._light(scene.light, mesh, depth)
        pixels = wp.empty((side, side), dtype=wp.vec3, device=DEVICE)
        inputs = [
            *(screen, mesh.vertices, mesh.normals, mesh.references, mesh.openness),
            *(mesh.triangles, mesh.materials, mesh.corners),
            *(person.device_texture, rasteriser.floats(folds), colours, self._eyes),
            *(wp.vec3(*camera.position), light, shadow_map, rasteriser.floats(background), owner, pixels),
        ]
        wp.launch(shading.shade, dim=(side, side), inputs=inputs, device=DEVICE)
        owners = owner.numpy()
        image = _develop(pixels.numpy(), owners, mesh.material_names, scene.exposure, generator)
        points = _project(rasteriser.vectors(mesh.landmarks), camera).numpy()
        covered = self._builder.mask.covers_landmark & (scene.occluder == "mask")
        visible = visible_points(points, depth.numpy(), owners, mesh.material_names, covered)
        points68 = (points[:, :2] / SUPERSAMPLING).astype(np.float32)
        return Rendering(image, points68, visible, five_points(points68))

    def _buffers(self, screen: WarpArray, mesh: Mesh, side: int) -> tuple[WarpArray, WarpArray]:
        return rasteriser.depth_buffers(screen, mesh.triangles, mesh.materials, mesh.corners, self._mask_alpha, side)

    def _light(self, light: Light, mesh: Mesh, unused_map: WarpArray) -> tuple[shading.Illumination, WarpArray]:
        """Return the light as the shader takes it, and its shadow map."""
        matrix = wp.mat44(*light_view(light.direction, _SHADOW_CENTRE, _SHADOW_RADIUS, _SHADOW_SIDE).ravel())
        shadow_map = unused_map
        if light.shadow:
            screen = rasteriser.empty_vectors(len(mesh.vertices))
            inputs = [mesh.vertices, matrix, screen]
            wp.launch(kernels.project_parallel, dim=len(mesh.vertices), inputs=inputs, device=DEVICE)
            shadow_map, _ = self._buffers(screen, mesh, _SHADOW_SIDE)
        illumination = shading.Illumination()
        illumination.direction = wp.vec3(*light.direction)
        illumination.key = wp.vec3(*(light.key * light.tint))
        illumination.ambient = wp.vec3(*(light.ambient * light.tint))
        illumination.fill = wp.vec3(_FILL, _FILL, _FILL)
        illumination.casts_shadow = int(light.shadow)
        illumination.to_shadow_map = matrix
        return illumination, shadow_map


def _project(vertices: WarpArray, camera: Camera) -> WarpArray:
    screen = rasteriser.empty_vectors(len(vertices))
    axes = [wp.vec3(*axis) for axis in (camera.position, camera.right, camera.up, camera.forward)]
    inputs = [vertices, *axes, camera.focal, wp.vec2(*camera.centre), screen]
    wp.launch(kernels.project_perspective, dim=len(vertices), inputs=inputs, device=DEVICE)
    return screen


def _eyes(template: Template) -> shading.Eyes:
    head, reference = template.head, template.reference
    centres = []
    for part in (Material.LEFT_EYE, Material.RIGHT_EYE):
        ball = reference[head.triangles[head.parts == part]].reshape(-1, 3)
        centres.append((ball.min(0) + ball.max(0)) / 2)
    eyes = shading.Eyes()
    eyes.left_centre, eyes.right_centre = (wp.vec3(*centre) for centre in centres)
    # the irises' textures turn with the eyeballs; these are their axes in the resting head
    eyes.left_gaze, eyes.right_gaze = wp.vec3(0.03, 0.06, 1.0), wp.vec3(-0.03, 0.06, 1.0)
    return eyes


def _colours(person: Person, generator: np.random.Generator) -> WarpArray:
    """Return the plain colour of each material, linear."""
    traits = person.traits
    colours = np.zeros((COUNT, 3), np.float32)
    colours[Material.MOUTH_CAVITY] = (0.28, 0.06, 0.06)
    colours[Material.EYE_SOCKET] = traits.skin * np.array([0.75, 0.5, 0.5])
    colours[[Material.LEFT_EYE, Material.RIGHT_EYE]] = (0.72, 0.70, 0.68)
    colours[Material.TEETH] = (0.95, 0.89, 0.78)
    colours[Material.TONGUE] = (0.42, 0.13, 0.13)
    colours[[Material.LONG_HAIR, Material.HAIR_LOCK]] = traits.hair
    colours[Material.HAND] = traits.skin
    colours[Material.CLOTH] = traits.cloth
    colours[Material.LENS] = (0.012, 0.012, 0.015)
    colours[Material.FRAME] = (0.02, 0.018, 0.016)
    colours[Material.FACE_MASK] = mask_colour(generator)
    colours[Material.IRIS] = traits.iris
    return rasteriser.vectors(colours)


def _develop(
    light: np.ndarray, owner: np.ndarray, materials: np.ndarray, exposure: float, generator: np.random.Generator
) -> np.ndarray:
    """Turn supersampled linear light into an image, as a camera that exposes for the face would."""
    side = len(light) // SUPERSAMPLING
    on_skin = (owner >= 0) & (materials[owner.clip(0)] == Material.SKIN)
    mean = float(light[on_skin].mean()) if on_skin.any() else _METERED_LIGHT
    gain = float(np.clip((_METERED_LIGHT / max(mean, 1e-4)) ** _METERING, 1, _MAX_GAIN))
    binned = light.reshape(side, SUPERSAMPLING, side, SUPERSAMPLING, 3).mean((1, 3), dtype=np.float32)
    image = encode(binned * np.float32(gain * exposure))
    image += np.float32(_GRAIN) * generator.standard_normal(image.shape, dtype=np.float32)
    return (np.clip(image, 0, 1) * 255 + 0.5).astype(np.uint8)
