// From a picture to its faces, by the steps of openfer's face finder (openfer.inference.finder, mediapipe/detector).
"use strict";

const SIDE = 128, MESH = 256, SURE = 0.9;
const ANCHORS = [[16, 2], [8, 6]].flatMap(([cells, count]) =>
  Array.from({ length: cells * cells * count }, (_, n) => {
    const cell = Math.floor(n / count);
    return [((cell % cells) + 0.5) / cells, (Math.floor(cell / cells) + 0.5) / cells];
  }));
const sigmoid = (x) => 0.5 * (1 + Math.tanh(x / 2));
const area = ([left, top, right, bottom]) => (right - left) * (bottom - top);

function overlap(one, other) {
  const across = Math.min(one[2], other[2]) - Math.max(one[0], other[0]);
  const down = Math.min(one[3], other[3]) - Math.max(one[1], other[1]);
  const shared = Math.max(0, across) * Math.max(0, down), union = area(one) + area(other) - shared;
  return union > 0 ? shared / union : 0;
}

// Python's round: halves go to the even neighbour.
function rounded(x) {
  const low = Math.floor(x);
  return x - low === 0.5 ? low + (low % 2) : Math.round(x);
}

// Rounds a place to a power of two that is 1/2048 to 1/4096 of a face's side, divided by `finer`.
function steadied(place, side, finer = 1) {
  const step = 2 ** Math.floor(Math.log2(side)) / (2048 * finer);
  return rounded(place / step) * step;
}

async function asked(network, values, shape) {
  const found = await network.run({ input0: new ort.Tensor("float32", values, shape) });
  return network.outputNames.map((name) => found[name].data);
}

class Finder {
  constructor(networks, page) {
    Object.assign(this, { networks, page });
  }

  // The faces of a picture, the largest first; each has box, points, score, pose, crop and, where wanted, geometry.
  async find(picture) {
    const sure = (await this.located(picture)).filter((face) => face.score >= SURE);
    sure.sort((one, other) => area(other.mesh.box) - area(one.mesh.box));
    const seen = [];
    for (const face of sure) seen.push(await this.seen(picture, face));
    return seen;
  }

  async seen(picture, { mesh, score }) {
    const { crop, input } = this.page.card, eyes = crop.eye_weight;
    const transform = similarity(mesh.five, crop.points5, [eyes, eyes, 1, 1, 1]);
    const pixels = warped(picture, transform, crop.size, true);
    const { pose } = normalised(mesh.points, this.page.canonical);
    const face = { box: mesh.box, points: mesh.five, score, pose, crop: pixels };
    if (input === "faces") return face;
    const stored = applied(transform, mesh.five).map((point) => point.map(Math.fround));
    const back = inverted(similarity(stored, this.page.template));
    const [centre] = applied(back, [[0.49, 0.487]]), along = [back[0][0], back[1][0]];
    const own = await this.mesh(pixels, squareAround(centre, 0.745 * 1.5 * Math.hypot(...along), along, MESH));
    const read = Float32Array.from(this.page.read.flatMap((n) => own.points[n].slice(0, 2)));
    const [values] = await asked(this.networks.blendshapes, read, [1, this.page.read.length, 2]);
    const blendshapes = Array.from(values, (value) => Math.min(1, Math.max(0, value)));
    const geometry = Float32Array.from([...blendshapes, ...normalised(own.points, this.page.canonical).points.flat()]);
    return { ...face, blendshapes, geometry };
  }

  // The search: the whole picture, then a black border, then ever smaller squares.
  async located(picture) {
    const longer = Math.max(picture.width, picture.height), shorter = Math.min(picture.width, picture.height);
    let found = [];
    for (const zoom of [1, 0.5, 2, 4, 8]) {
      const side = longer / zoom, enough = found.some((face) => face.score >= SURE);
      if (zoom > 1 && side < 96) break;
      if (enough && (zoom < 1 || 2 * side * 0.2 <= this.page.smallest_face * shorter)) continue;
      found = await this.placed(picture, merged(await this.candidates(picture, side, zoom > 1 ? 0.7 : 0.5)), found);
    }
    return found;
  }

  async candidates(picture, side, least) {
    const width = Math.max(1, rounded((picture.width * SIDE) / side)), height = Math.max(1, rounded((picture.height * SIDE) / side));
    const small = resized(picture, width, height), scale = [picture.width / width, picture.height / height], boxes = [];
    for (const top of starts(height))
      for (const left of starts(width)) {
        const [regressors, logits] = await asked(this.networks.detector, cut(small, left, top), [1, SIDE, SIDE, 3]);
        ANCHORS.forEach((anchor, n) => {
          const score = sigmoid(logits[n]);
          if (score < least) return;
          const numbers = regressors.subarray(n * 16, n * 16 + 16), shift = [left, top];
          const pair = (k) => [0, 1].map((axis) => numbers[2 * k + axis] + anchor[axis] * SIDE + shift[axis]);
          const centre = pair(0), half = [numbers[2] / 2, numbers[3] / 2];
          const corner = (sign) => centre.map((place, axis) => (place + sign * half[axis]) * scale[axis]);
          const points = [2, 3, 4, 5, 6, 7].map((k) => pair(k).map((place, axis) => place * scale[axis]));
          boxes.push({ box: [...corner(-1), ...corner(1)], points, score });
        });
      }
    return boxes;
  }

  async placed(picture, boxes, known) {
    const faces = [...known];
    for (const { box, points, score } of boxes) {
      const side = Math.max(box[2] - box[0], box[3] - box[1]), across = direction(points, side);
      if (side <= 0 || !(Math.hypot(...across) > 0)) continue;
      const steady = (place) => steadied(place, side), centre = [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2];
      const mesh = await this.mesh(picture, squareAround(centre.map(steady), 1.5 * steady(side), across.map(steady), MESH));
      const own = Math.max(mesh.presence, Math.min(1, score / 0.85));
      if (own >= 0.5 && !faces.some((face) => overlap(face.mesh.box, mesh.box) > 0.3)) faces.push({ mesh, score: own });
    }
    return faces;
  }

  async mesh(picture, toSquare) {
    const pixels = warped(picture, toSquare, MESH, false), back = inverted(toSquare);
    const [found, presence] = await asked(this.networks.mesh, Float32Array.from(pixels.data, (byte) => byte / 255), [1, MESH, MESH, 3]);
    const scale = Math.hypot(toSquare[0][0], toSquare[1][0]);
    const points = Array.from({ length: 478 }, (_, n) => [
      ...applied(back, [[found[n * 3], found[n * 3 + 1]]])[0], found[n * 3 + 2] / scale]);
    const mean = (from) => [0, 1].map((axis) => points.slice(from, from + 5).reduce((sum, point) => sum + point[axis], 0) / 5);
    const edge = (pick, axis) => points.reduce((found, point) => pick(found, point[axis]), points[0][axis]);
    const box = [edge(Math.min, 0), edge(Math.min, 1), edge(Math.max, 0), edge(Math.max, 1)];
    const side = Math.max(box[2] - box[0], box[3] - box[1]);
    const five = [mean(468), mean(473), ...[1, 61, 291].map((n) => points[n].slice(0, 2))]
      .map((point) => point.map((place) => steadied(place, side, 2)));
    return { points, five, box, presence: sigmoid(presence[0]) };
  }
}

function merged(boxes) {
  let left = [...boxes].sort((one, other) => other.score - one.score);
  const found = [];
  while (left.length) {
    const same = left.filter((one, n) => n === 0 || overlap(one.box, left[0].box) > 0.3);
    const total = same.reduce((sum, one) => sum + one.score, 0);
    const mean = (pick) => same.reduce((sum, one) => sum + (one.score / total) * pick(one), 0);
    found.push({
      box: [0, 1, 2, 3].map((n) => mean((one) => one.box[n])),
      points: [0, 1, 2, 3, 4, 5].map((n) => [0, 1].map((axis) => mean((one) => one.points[n][axis]))),
      score: left[0].score,
    });
    left = left.filter((one) => !same.includes(one));
  }
  return found;
}

// From the eye left in the image to the other one; a profile's eyes coincide, so its mouth tells.
function direction([left, right, , mouth], side) {
  const across = [right[0] - left[0], right[1] - left[1]];
  if (Math.hypot(...across) >= 0.1 * side) return across;
  return [mouth[1] - (left[1] + right[1]) / 2, (left[0] + right[0]) / 2 - mouth[0]];
}

function starts(length) {
  if (length <= SIDE) return [Math.floor((length - SIDE) / 2)];
  const found = [];
  for (let at = 0; at < length - SIDE; at += SIDE / 2) found.push(at);
  return [...found, length - SIDE];
}

function cut({ width, height, data }, left, top) {
  const values = new Float32Array(SIDE * SIDE * 3).fill(-1);
  for (let row = Math.max(0, -top); row < Math.min(SIDE, height - top); row++)
    for (let column = Math.max(0, -left); column < Math.min(SIDE, width - left); column++)
      for (let channel = 0; channel < 3; channel++)
        values[(row * SIDE + column) * 3 + channel] = data[((row + top) * width + column + left) * 3 + channel] / 127.5 - 1;
  return values;
}
