// Pixels as Pillow computes them, so that the page and `openfer predict` see the same crops.
// A picture is {width, height, data}: RGB bytes, row by row.
"use strict";

// The mean of blocks of x by y pixels; blocks at the edge are smaller.
function reduced(picture, x, y) {
  const width = Math.ceil(picture.width / x), height = Math.ceil(picture.height / y);
  const data = new Uint8ClampedArray(width * height * 3);
  for (let row = 0; row < height; row++) {
    const bottom = Math.min((row + 1) * y, picture.height);
    for (let column = 0; column < width; column++) {
      const right = Math.min((column + 1) * x, picture.width);
      const count = (bottom - row * y) * (right - column * x), inverse = Math.floor(2 ** 24 / count); // as Pillow rounds
      for (let channel = 0; channel < 3; channel++) {
        let sum = 0;
        for (let j = row * y; j < bottom; j++)
          for (let i = column * x; i < right; i++) sum += picture.data[(j * picture.width + i) * 3 + channel];
        data[(row * width + column) * 3 + channel] = Math.floor(((sum + (count >> 1)) * inverse) / 2 ** 24);
      }
    }
  }
  return { width, height, data };
}

const ONE = 2 ** 22;  // Pillow's weights are integers, shares of this

// Which source pixels make each target pixel, and how much each counts (triangle filter, antialiased).
function triangleWeights(span, target) {
  const scale = span / target, support = Math.max(scale, 1);
  return (length) => Array.from({ length: target }, (_, place) => {
    const centre = (place + 0.5) * scale;
    const first = Math.max(0, Math.trunc(centre - support + 0.5));
    const end = Math.min(length, Math.trunc(centre + support + 0.5));
    const weights = [];
    for (let at = first; at < end; at++) weights.push(Math.max(0, 1 - Math.abs((at - centre + 0.5) * (1 / support))));
    const inverse = 1 / weights.reduce((sum, weight) => sum + weight, 0);
    return { first, weights: weights.map((weight) => Math.floor(weight * inverse * ONE + 0.5)) };
  });
}

function alongRows(picture, target, span) {
  const { height, width } = picture, data = new Uint8ClampedArray(target * height * 3);
  const parts = triangleWeights(span, target)(width);
  for (let row = 0; row < height; row++)
    for (let column = 0; column < target; column++)
      for (let channel = 0; channel < 3; channel++) {
        const { first, weights } = parts[column];
        let sum = ONE / 2;
        for (let k = 0; k < weights.length; k++) sum += weights[k] * picture.data[(row * width + first + k) * 3 + channel];
        data[(row * target + column) * 3 + channel] = Math.floor(sum / ONE);
      }
  return { width: target, height, data };
}

function turned(picture) {
  const { width, height } = picture, data = new Uint8ClampedArray(picture.data.length);
  for (let row = 0; row < height; row++)
    for (let column = 0; column < width; column++)
      for (let channel = 0; channel < 3; channel++)
        data[(column * height + row) * 3 + channel] = picture.data[(row * width + column) * 3 + channel];
  return { width: height, height: width, data };
}

// Pillow's resize with the filter BILINEAR and reducing_gap=2.
function resized(picture, width, height) {
  const x = Math.max(1, Math.trunc(picture.width / width / 2)), y = Math.max(1, Math.trunc(picture.height / height / 2));
  const small = x > 1 || y > 1 ? reduced(picture, x, y) : picture;
  const wide = small.width === width && picture.width / x === width ? small : alongRows(small, width, picture.width / x);
  if (wide.height === height && picture.height / y === height) return wide;
  return turned(alongRows(turned(wide), height, picture.height / y));
}

// The square that a similarity (two rows of three numbers) cuts out; black where the picture ends.
function warped(picture, transform, side, cubic) {
  const scale = Math.hypot(transform[0][0], transform[1][0]);
  const factor = scale < 0.5 ? Math.max(1, Math.trunc(0.5 / scale)) : 1;
  const back = inverted(transform).map((row) => row.map((number) => number / factor));
  const from = factor > 1 ? reduced(picture, factor, factor) : picture;
  const { width, height, data } = from, out = new Uint8ClampedArray(side * side * 3);
  const reach = cubic ? [-1, 0, 1, 2] : [0, 1];
  const mix = cubic ? cubicMix : (values, share) => values[0] + (values[1] - values[0]) * share;
  for (let row = 0; row < side; row++)
    for (let column = 0; column < side; column++) {
      const [u, v] = back.map(([a, b, c]) => a * (column + 0.5) + b * (row + 0.5) + c);
      if (u < 0 || v < 0 || u >= width || v >= height) continue;
      const left = Math.floor(u - 0.5), top = Math.floor(v - 0.5);
      const columns = reach.map((step) => Math.min(width - 1, Math.max(0, left + step)));
      const rows = reach.map((step) => Math.min(height - 1, Math.max(0, top + step)));
      for (let channel = 0; channel < 3; channel++) {
        const across = rows.map((y) => mix(columns.map((x) => data[(y * width + x) * 3 + channel]), u - 0.5 - left));
        out[(row * side + column) * 3 + channel] = Math.trunc(Math.min(255, Math.max(0, mix(across, v - 0.5 - top))));
      }
    }
  return { width: side, height: side, data: out };
}

function cubicMix([before, here, next, after], share) {
  const square = 2 * (before - here) + next - after, cube = here - before - next + after;
  return here + share * (next - before + share * (square + share * cube));
}
