"""The shading kernel: skin, eyes, teeth, hair, cloth and occluders under one light and its surroundings."""

# mypy: disable-error-code="valid-type, misc, index"
# Warp writes the types of kernel arguments as calls, which mypy does not read.

import warp as wp

from openfer_faces.synthetic.renderer.kernels import bilinear
from openfer_faces.synthetic.renderer.materials import Material

wp.set_module_options({"enable_backward": False})

SKIN = wp.constant(int(Material.SKIN))
MOUTH_CAVITY = wp.constant(int(Material.MOUTH_CAVITY))
LEFT_EYE = wp.constant(int(Material.LEFT_EYE))
RIGHT_EYE = wp.constant(int(Material.RIGHT_EYE))
TEETH = wp.constant(int(Material.TEETH))
TONGUE = wp.constant(int(Material.TONGUE))
LONG_HAIR = wp.constant(int(Material.LONG_HAIR))
HAND = wp.constant(int(Material.HAND))
CLOTH = wp.constant(int(Material.CLOTH))
HAIR_LOCK = wp.constant(int(Material.HAIR_LOCK))
LENS = wp.constant(int(Material.LENS))
FACE_MASK = wp.constant(int(Material.FACE_MASK))
IRIS = wp.constant(int(Material.IRIS))

IRIS_ANGLE = wp.constant(0.50)
PUPIL_ANGLE = wp.constant(0.19)
"""Half angles of iris and pupil seen from the eye's centre, radians."""

COLLAR_HEIGHT = wp.constant(5.72)
SHADOW_BIAS = wp.constant(0.05)
HAIR_AXIS_DEPTH = wp.constant(0.35)


@wp.struct
class Surface:
    """What the light meets at a pixel."""

    albedo: wp.vec3
    normal: wp.vec3
    specular: float
    gloss: float
    translucent: int


@wp.struct
class Illumination:
    """A distant key light, ambient light from above, and a weak light at the camera."""

    direction: wp.vec3
    key: wp.vec3
    ambient: wp.vec3
    fill: wp.vec3
    casts_shadow: int
    to_shadow_map: wp.mat44


@wp.struct
class Eyes:
    """Centres and gaze directions of the two eyeballs in the reference head."""

    left_centre: wp.vec3
    right_centre: wp.vec3
    left_gaze: wp.vec3
    right_gaze: wp.vec3


@wp.func
def smooth_step(low: float, high: float, x: float) -> float:
    """Rise smoothly from 0 at ``low`` to 1 at ``high``."""
    t = wp.clamp((x - low) / (high - low), 0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)


@wp.func
def skin_surface(
    surface: Surface,
    uv: wp.vec2,
    reference: wp.vec3,
    texture: wp.array3d(dtype=float),
    folds: wp.array3d(dtype=float),
    colours: wp.array(dtype=wp.vec3),
) -> Surface:
    """Skin with its painted texture and folds; below the collar it is cloth."""
    collar = COLLAR_HEIGHT - 0.16 * wp.abs(reference[0]) + 0.10 * wp.min(reference[2], 0.5)
    if reference[1] < collar:
        surface.albedo = colours[CLOTH]
        surface.specular = 0.02
        return surface
    cavity = wp.clamp(1.0 + 0.42 * wp.min(bilinear(folds, uv[0], uv[1], 2), 0.0), 0.35, 1.0)
    surface.albedo = cavity * wp.vec3(
        bilinear(texture, uv[0], uv[1], 0), bilinear(texture, uv[0], uv[1], 1), bilinear(texture, uv[0], uv[1], 2)
    )
    surface.specular = bilinear(texture, uv[0], uv[1], 3)
    surface.translucent = 1
    normal = surface.normal
    across = wp.cross(wp.vec3(0.0, 1.0, 0.0), normal)
    if wp.length(across) > 0.05:
        across = wp.normalize(across)
        upwards = wp.cross(normal, across)
        slope_across = bilinear(folds, uv[0], uv[1], 0)
        slope_upwards = bilinear(folds, uv[0], uv[1], 1)
        surface.normal = wp.normalize(normal - across * slope_across - upwards * slope_upwards)
    return surface


@wp.func
def eye_surface(surface: Surface, reference: wp.vec3, centre: wp.vec3, gaze: wp.vec3, iris_colour: wp.vec3) -> Surface:
    """Return the colour of an eyeball: pupil, iris with a dark rim, and a white that darkens to the sides."""
    angle = wp.acos(wp.clamp(wp.dot(wp.normalize(reference - centre), wp.normalize(gaze)), -1.0, 1.0))
    white_share = smooth_step(IRIS_ANGLE - 0.05, IRIS_ANGLE + 0.03, angle)
    brightness = 0.75 + 0.45 * smooth_step(PUPIL_ANGLE, IRIS_ANGLE, angle)
    rim = 1.0 - 0.65 * smooth_step(IRIS_ANGLE - 0.14, IRIS_ANGLE, angle)
    iris_share = smooth_step(PUPIL_ANGLE - 0.04, PUPIL_ANGLE + 0.04, angle)
    iris = iris_colour * brightness * rim * iris_share + wp.vec3(0.01, 0.01, 0.01) * (1.0 - iris_share)
    white = surface.albedo * (1.0 - 0.30 * smooth_step(0.6, 1.3, angle))
    surface.albedo = iris * (1.0 - white_share) + white * white_share
    surface.specular = 0.25 + 0.35 * (1.0 - white_share)
    surface.gloss = 260.0
    return surface


@wp.func
def other_surface(surface: Surface, material: int, uv: wp.vec2, reference: wp.vec3) -> Surface:
    """Mouth, teeth, hair, hand and occluders."""
    if material == MOUTH_CAVITY:
        surface.albedo = surface.albedo * (0.10 + 0.75 * smooth_step(1.05, 1.45, reference[2]))
    elif material == TEETH:
        # lips shade the teeth beside the corners of the mouth; undimmed they glint through closed lips
        corner = smooth_step(0.09, 0.17, wp.abs(reference[0]))
        surface.albedo = surface.albedo * (
            (0.70 + 0.30 * smooth_step(0.95, 1.45, reference[2])) * (1.0 - 0.85 * corner)
        )
        surface.specular = 0.3 * (1.0 - corner)
        surface.gloss = 50.0
    elif material == TONGUE:
        surface.albedo = surface.albedo * (0.15 + 0.85 * smooth_step(0.8, 1.4, reference[2]))
        surface.specular = 0.3
    elif material == LONG_HAIR or material == HAIR_LOCK:  # noqa: SIM109  (Warp has no `in`)
        angle = wp.atan2(reference[0], reference[2] - HAIR_AXIS_DEPTH)
        wave = wp.sin(angle * 97.0 + 3.0 * wp.sin(reference[1] * 2.1))
        strands = 0.5 * wave + 0.5 * wp.sin(angle * 223.0 + reference[1] * 1.7)
        surface.albedo = surface.albedo * (1.0 + 0.45 * strands)
        surface.specular = 0.10
        surface.gloss = 14.0
    elif material == HAND:
        surface.translucent = 1
    elif material == LENS:
        sky = smooth_step(-0.2, 0.9, surface.normal[1] + 0.3 * surface.normal[0])
        surface.albedo = surface.albedo + wp.vec3(0.10, 0.11, 0.13) * sky
        surface.specular = 0.10
        surface.gloss = 120.0
    elif material == FACE_MASK:
        surface.albedo = surface.albedo * (0.92 + 0.08 * wp.sin(uv[1] * 281.0))
        surface.specular = 0.08
    return surface


@wp.func
def lit_share(point: wp.vec3, light: Illumination, shadow_map: wp.array2d(dtype=float)) -> float:
    """Share of the key light that reaches a point: nine lookups in the shadow map."""
    place = wp.transform_point(light.to_shadow_map, point)
    column = int(wp.floor(place[0]))
    row = int(wp.floor(place[1]))
    lit = float(0.0)  # noqa: UP018  (Warp's way to declare a variable that changes)
    for down in range(-1, 2):
        for across in range(-1, 2):
            x = wp.clamp(column + across, 0, shadow_map.shape[1] - 1)
            y = wp.clamp(row + down, 0, shadow_map.shape[0] - 1)
            if shadow_map[y, x] + SHADOW_BIAS > place[2]:
                lit += 1.0
    return lit / 9.0


@wp.func
def lambert(cosine: float, wrap: float) -> float:
    """Diffuse light that reaches ``wrap`` beyond the terminator, as in translucent skin."""
    return wp.max((cosine + wrap) / (1.0 + wrap), 0.0)


@wp.func
def reflected(surface: Surface, light: Illumination, view: wp.vec3, openness: float, lit: float) -> wp.vec3:
    """Linear light sent to the camera."""
    normal = surface.normal
    cosine = wp.dot(normal, light.direction)
    facing = wp.max(wp.dot(normal, view), 0.0)
    half_cosine = wp.max(wp.dot(normal, wp.normalize(light.direction + view)), 0.0)
    fresnel = 0.35 + 0.65 * wp.pow(1.0 - facing, 4.0)
    highlight = surface.specular * fresnel * wp.pow(half_cosine, surface.gloss) * (surface.gloss + 8.0) / 40.0
    highlight = highlight * lit * wp.clamp(cosine * 4.0, 0.0, 1.0)
    diffuse = wp.vec3(1.0, 1.0, 1.0) * (wp.max(cosine, 0.0) * lit)
    if surface.translucent == 1:
        # red light travels furthest inside skin: it wraps around edges and into shadows
        diffuse = wp.vec3(
            lambert(cosine, 0.28) * (0.12 + 0.88 * lit), lambert(cosine, 0.12) * lit, lambert(cosine, 0.08) * lit
        )
    key = wp.cw_mul(light.key, wp.cw_mul(diffuse, surface.albedo) + wp.vec3(1.0, 1.0, 1.0) * highlight)
    ambient = wp.cw_mul(light.ambient, surface.albedo) * ((0.62 + 0.38 * normal[1]) * openness)
    shine = wp.vec3(1.0, 1.0, 1.0) * (0.04 * surface.specular)
    fill = wp.cw_mul(light.fill, surface.albedo + shine) * (facing * (0.3 + 0.7 * openness))
    return key * (0.45 + 0.55 * openness) + ambient + fill


@wp.kernel
def shade(
    screen: wp.array(dtype=wp.vec3),
    vertices: wp.array(dtype=wp.vec3),
    normals: wp.array(dtype=wp.vec3),
    references: wp.array(dtype=wp.vec3),
    openness: wp.array(dtype=float),
    triangles: wp.array2d(dtype=int),
    materials: wp.array(dtype=int),
    corners: wp.array2d(dtype=wp.vec2),
    texture: wp.array3d(dtype=float),
    folds: wp.array3d(dtype=float),
    colours: wp.array(dtype=wp.vec3),
    eyes: Eyes,
    camera: wp.vec3,
    light: Illumination,
    shadow_map: wp.array2d(dtype=float),
    background: wp.array3d(dtype=float),
    owner: wp.array2d(dtype=int),
    image: wp.array2d(dtype=wp.vec3),
) -> None:
    """Compute the linear light of every pixel from the triangle that owns it."""
    row, column = wp.tid()
    t = owner[row, column]
    x = float(column) + 0.5
    y = float(row) + 0.5
    if t < 0:
        u = x / float(image.shape[1])
        v = y / float(image.shape[0])
        image[row, column] = wp.vec3(
            bilinear(background, u, v, 0), bilinear(background, u, v, 1), bilinear(background, u, v, 2)
        )
        return
    i0 = triangles[t, 0]
    i1 = triangles[t, 1]
    i2 = triangles[t, 2]
    a = screen[i0]
    b = screen[i1]
    c = screen[i2]
    area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
    w0 = ((b[0] - x) * (c[1] - y) - (b[1] - y) * (c[0] - x)) / area
    w1 = ((c[0] - x) * (a[1] - y) - (c[1] - y) * (a[0] - x)) / area
    w2 = 1.0 - w0 - w1
    point = vertices[i0] * w0 + vertices[i1] * w1 + vertices[i2] * w2
    reference = references[i0] * w0 + references[i1] * w1 + references[i2] * w2
    open_share = openness[i0] * w0 + openness[i1] * w1 + openness[i2] * w2
    uv = corners[t, 0] * w0 + corners[t, 1] * w1 + corners[t, 2] * w2
    material = materials[t]
    view = wp.normalize(camera - point)
    surface = Surface()
    surface.albedo = colours[material]
    surface.normal = wp.normalize(normals[i0] * w0 + normals[i1] * w1 + normals[i2] * w2)
    surface.specular = 0.12
    surface.gloss = 18.0
    surface.translucent = 0
    if material >= HAND and wp.dot(surface.normal, view) < 0.0:
        surface.normal = -surface.normal
    if material == SKIN:
        surface = skin_surface(surface, uv, reference, texture, folds, colours)
    elif material == LEFT_EYE:
        surface = eye_surface(surface, reference, eyes.left_centre, eyes.left_gaze, colours[IRIS])
    elif material == RIGHT_EYE:
        surface = eye_surface(surface, reference, eyes.right_centre, eyes.right_gaze, colours[IRIS])
    else:
        surface = other_surface(surface, material, uv, reference)
    lit = float(1.0)  # noqa: UP018
    if light.casts_shadow == 1:
        lit = lit_share(point + surface.normal * 0.03, light, shadow_map)
    image[row, column] = reflected(surface, light, view, open_share, lit)
