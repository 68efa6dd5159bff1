// Similarities in the plane, and the rigid fit that gives the head's pose.
"use strict";

// Two rows of three numbers that bring points nearest to others (weighted least squares).
function similarity(source, target, weights = source.map(() => 1)) {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const mean = (points) => [0, 1].map((axis) => points.reduce((sum, point, n) => sum + weights[n] * point[axis], 0) / total);
  const centre = mean(source), goal = mean(target);
  let real = 0, imaginary = 0, spread = 0;
  source.forEach((point, n) => {
    const [x, y] = [point[0] - centre[0], point[1] - centre[1]], [u, v] = [target[n][0] - goal[0], target[n][1] - goal[1]];
    real += weights[n] * (x * u + y * v);
    imaginary += weights[n] * (x * v - y * u);
    spread += weights[n] * (x * x + y * y);
  });
  const a = real / spread, b = imaginary / spread;
  return [[a, -b, goal[0] - a * centre[0] + b * centre[1]], [b, a, goal[1] - b * centre[0] - a * centre[1]]];
}

function inverted([[a, b, c], [d, e, f]]) {
  const area = a * e - b * d;
  return [[e / area, -b / area, (b * f - c * e) / area], [-d / area, a / area, (c * d - a * f) / area]];
}

const applied = (transform, points) =>
  points.map(([x, y]) => transform.map(([a, b, c]) => a * x + b * y + c));

// The similarity to an upright square around a face; `across` points from the left eye in the image to the right.
function squareAround(centre, side, across, input) {
  const length = Math.hypot(...across), along = across.map((part) => ((part / length) * side) / 2);
  const corners = [[centre[0] - along[0], centre[1] - along[1]], [centre[0] + along[0], centre[1] + along[1]]];
  return similarity(corners, [[0, input / 2], [input, input / 2]]);
}

// Takes position, size and rotation out of a mesh: the rotation is the largest eigenvector of Horn's matrix (1987).
function normalised(mesh, canonical) {
  const total = canonical.weights.reduce((sum, weight) => sum + weight, 0), weights = canonical.weights.map((w) => w / total);
  const mean = (points) => [0, 1, 2].map((axis) => weights.reduce((sum, weight, n) => sum + weight * points[n][axis], 0));
  const centre = mean(mesh), goal = mean(canonical.points), s = [[0, 0, 0], [0, 0, 0], [0, 0, 0]];
  let spread = 0;
  weights.forEach((weight, n) => {
    for (let i = 0; i < 3; i++) {
      const from = mesh[n][i] - centre[i];
      spread += weight * from * from;
      for (let j = 0; j < 3; j++) s[i][j] += weight * from * (canonical.points[n][j] - goal[j]);
    }
  });
  const [[xx, xy, xz], [yx, yy, yz], [zx, zy, zz]] = s;
  const { value, vector: [w, x, y, z] } = largestEigenvector([
    [xx + yy + zz, yz - zy, zx - xz, xy - yx],
    [yz - zy, xx - yy - zz, xy + yx, zx + xz],
    [zx - xz, xy + yx, yy - xx - zz, yz + zy],
    [xy - yx, zx + xz, yz + zy, zz - xx - yy],
  ]);
  const turn = [
    [w * w + x * x - y * y - z * z, 2 * (x * y - w * z), 2 * (x * z + w * y)],
    [2 * (x * y + w * z), w * w - x * x + y * y - z * z, 2 * (y * z - w * x)],
    [2 * (x * z - w * y), 2 * (y * z + w * x), w * w - x * x - y * y + z * z],
  ];
  const scale = value / spread, degrees = 180 / Math.PI;
  const points = mesh.map((point) => turn.map((row, axis) =>
    scale * row.reduce((sum, part, i) => sum + part * (point[i] - centre[i]), 0) + goal[axis]));
  const pose = {  // of the inverse rotation, from the canonical face to the image
    yaw: Math.atan2(-turn[0][2], turn[2][2]) * degrees,
    pitch: Math.asin(Math.min(1, Math.max(-1, turn[1][2]))) * degrees,
    roll: Math.atan2(-turn[1][0], turn[1][1]) * degrees,
  };
  return { points, pose };
}

// Jacobi's method for a symmetric 4 x 4 matrix.
function largestEigenvector(matrix) {
  const a = matrix.map((row) => [...row]), v = a.map((_, i) => a.map((__, j) => (i === j ? 1 : 0)));
  for (let sweep = 0; sweep < 30; sweep++)
    for (let p = 0; p < 3; p++)
      for (let q = p + 1; q < 4; q++) {
        if (a[p][q] === 0) continue;
        const angle = 0.5 * Math.atan2(2 * a[p][q], a[q][q] - a[p][p]), c = Math.cos(angle), s = Math.sin(angle);
        for (let k = 0; k < 4; k++) [a[k][p], a[k][q]] = [c * a[k][p] - s * a[k][q], s * a[k][p] + c * a[k][q]];
        for (let k = 0; k < 4; k++) [a[p][k], a[q][k]] = [c * a[p][k] - s * a[q][k], s * a[p][k] + c * a[q][k]];
        for (let k = 0; k < 4; k++) [v[k][p], v[k][q]] = [c * v[k][p] - s * v[k][q], s * v[k][p] + c * v[k][q]];
      }
  const best = [0, 1, 2, 3].reduce((top, n) => (a[n][n] > a[top][top] ? n : top), 0);
  return { value: a[best][best], vector: v.map((row) => row[best]) };
}
