"""Warp kernels: a z-buffer rasteriser with one alpha-tested material, vertex normals, and projection."""

# mypy: disable-error-code="valid-type, misc"
# Warp writes the types of kernel arguments as calls, which mypy does not read.

import warp as wp

from openfer_faces.synthetic.renderer.materials import Material

wp.set_module_options({"enable_backward": False})

FACE_MASK = wp.constant(int(Material.FACE_MASK))


@wp.func
def bilinear(texture: wp.array3d(dtype=float), u: float, v: float, channel: int) -> float:
    """Sample one channel of a texture at u, v in [0, 1], clamped at the edges."""
    rows = texture.shape[0]
    columns = texture.shape[1]
    x = wp.clamp(u, 0.0, 1.0) * float(columns - 1)
    y = wp.clamp(v, 0.0, 1.0) * float(rows - 1)
    left = wp.min(int(x), columns - 2)
    top = wp.min(int(y), rows - 2)
    right_share = x - float(left)
    bottom_share = y - float(top)
    upper = texture[top, left, channel] * (1.0 - right_share) + texture[top, left + 1, channel] * right_share
    lower = texture[top + 1, left, channel] * (1.0 - right_share) + texture[top + 1, left + 1, channel] * right_share
    return upper * (1.0 - bottom_share) + lower * bottom_share


@wp.kernel
def clear(depth: wp.array2d(dtype=float), owner: wp.array2d(dtype=int)) -> None:
    """Empty the depth buffer and the buffer of triangle numbers."""
    row, column = wp.tid()
    depth[row, column] = 1.0e9
    owner[row, column] = -1


@wp.kernel
def rasterise(
    screen: wp.array(dtype=wp.vec3),
    triangles: wp.array2d(dtype=int),
    materials: wp.array(dtype=int),
    corners: wp.array2d(dtype=wp.vec2),
    mask_alpha: wp.array3d(dtype=float),
    depth: wp.array2d(dtype=float),
    owner: wp.array2d(dtype=int),
) -> None:
    """Draw each triangle into the depth and triangle buffers; the face mask is cut by its alpha."""
    t = wp.tid()
    a = screen[triangles[t, 0]]
    b = screen[triangles[t, 1]]
    c = screen[triangles[t, 2]]
    area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
    if wp.abs(area) < 1.0e-9:
        return
    left = wp.max(int(wp.ceil(wp.min(a[0], wp.min(b[0], c[0])) - 0.5)), 0)
    right = wp.min(int(wp.floor(wp.max(a[0], wp.max(b[0], c[0])) - 0.5)), depth.shape[1] - 1)
    top = wp.max(int(wp.ceil(wp.min(a[1], wp.min(b[1], c[1])) - 0.5)), 0)
    bottom = wp.min(int(wp.floor(wp.max(a[1], wp.max(b[1], c[1])) - 0.5)), depth.shape[0] - 1)
    if left > right or top > bottom:
        return
    inverse = 1.0 / area
    for row in range(top, bottom + 1):
        y = float(row) + 0.5
        for column in range(left, right + 1):
            x = float(column) + 0.5
            w0 = ((b[0] - x) * (c[1] - y) - (b[1] - y) * (c[0] - x)) * inverse
            w1 = ((c[0] - x) * (a[1] - y) - (c[1] - y) * (a[0] - x)) * inverse
            w2 = 1.0 - w0 - w1
            if w0 >= 0.0 and w1 >= 0.0 and w2 >= 0.0:
                distance = w0 * a[2] + w1 * b[2] + w2 * c[2]
                if distance < depth[row, column]:
                    opaque = int(1)  # noqa: RUF046, UP018  (Warp's way to declare a variable that changes)
                    if materials[t] == FACE_MASK:
                        uv = corners[t, 0] * w0 + corners[t, 1] * w1 + corners[t, 2] * w2
                        if bilinear(mask_alpha, uv[0], uv[1], 0) < 0.5:
                            opaque = 0
                    if opaque == 1:
                        depth[row, column] = distance
                        owner[row, column] = t


@wp.kernel
def add_face_normals(
    vertices: wp.array(dtype=wp.vec3), triangles: wp.array2d(dtype=int), normals: wp.array(dtype=wp.vec3)
) -> None:
    """Add each triangle's area-weighted normal to its three vertices."""
    t = wp.tid()
    a = vertices[triangles[t, 0]]
    b = vertices[triangles[t, 1]]
    c = vertices[triangles[t, 2]]
    normal = wp.cross(b - a, c - a)
    wp.atomic_add(normals, triangles[t, 0], normal)
    wp.atomic_add(normals, triangles[t, 1], normal)
    wp.atomic_add(normals, triangles[t, 2], normal)


@wp.kernel
def normalise(vectors: wp.array(dtype=wp.vec3)) -> None:
    """Scale vectors to unit length."""
    i = wp.tid()
    vectors[i] = wp.normalize(vectors[i])


@wp.kernel
def project_perspective(
    vertices: wp.array(dtype=wp.vec3),
    position: wp.vec3,
    right: wp.vec3,
    up: wp.vec3,
    forward: wp.vec3,
    focal: float,
    centre: wp.vec2,
    screen: wp.array(dtype=wp.vec3),
) -> None:
    """Project to pixels and depth; ``forward`` points from the face to the camera."""
    i = wp.tid()
    offset = vertices[i] - position
    distance = -wp.dot(offset, forward)
    x = centre[0] + focal * wp.dot(offset, right) / distance
    y = centre[1] - focal * wp.dot(offset, up) / distance
    screen[i] = wp.vec3(x, y, distance)


@wp.kernel
def project_parallel(vertices: wp.array(dtype=wp.vec3), matrix: wp.mat44, screen: wp.array(dtype=wp.vec3)) -> None:
    """Project into a light's view."""
    i = wp.tid()
    screen[i] = wp.transform_point(matrix, vertices[i])
