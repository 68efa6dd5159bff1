// What a person sees and does: a picture in, boxes and bars out.
"use strict";

const PAGE = JSON.parse(document.getElementById("page").textContent);
const [canvas, status, results] = ["canvas", "status", "results"].map((name) => document.getElementById(name));
const [fileInput, webcam] = ["file", "webcam"].map((name) => document.getElementById(name));
let ready = null, stream = null, queue = Promise.resolve();

async function unpacked(name) {
  const bytes = Uint8Array.from(atob(document.getElementById(name).textContent), (letter) => letter.charCodeAt(0));
  const content = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(content).arrayBuffer());
}

async function loaded() {
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmBinary = (await unpacked("runtime")).buffer;
  const networks = {};
  for (const name of PAGE.networks)
    networks[name] = await ort.InferenceSession.create(await unpacked(name), { executionProviders: ["wasm"], logSeverityLevel: 3 });
  return { finder: new Finder(networks, PAGE), model: networks.model };
}

// Pixels as openfer reads them: upright, no colour profile, transparent parts on white.
function pixelsOf(image, width, height) {
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.fillStyle = "white";
  context.fillRect(0, 0, width, height);
  context.drawImage(image, 0, 0);
  const from = context.getImageData(0, 0, width, height).data, data = new Uint8ClampedArray(width * height * 3);
  for (let n = 0; n < width * height; n++) for (let k = 0; k < 3; k++) data[n * 3 + k] = from[n * 4 + k];
  return { width, height, data };
}

async function predicted(picture) {
  const { finder, model } = await (ready ??= loaded());
  const faces = await finder.find(picture), { card } = PAGE, size = card.crop.size;
  for (const face of faces) {
    const input = card.input === "geometry"
      ? new ort.Tensor("float32", face.geometry, [1, face.geometry.length])
      : new ort.Tensor("uint8", Uint8Array.from(face.crop.data), [1, size, size, 3]);
    const answer = await model.run({ [card.input]: input });
    face.probabilities = Array.from(answer.probabilities.data);
    for (const name of card.gives) face[name] = answer[name].data[0];
  }
  return faces;
}

function element(kind, text, own = {}) {
  return Object.assign(document.createElement(kind), { textContent: text }, own);
}

function bars(names, values) {
  const list = element("dl", "", { className: "bars" });
  names.forEach((name, n) => {
    const bar = element("meter", "", { min: 0, max: 1, value: values[n] });
    bar.setAttribute("aria-label", name);
    const value = element("dd", "");
    value.append(bar, element("span", values[n].toFixed(3)));
    list.append(element("dt", name), value);
  });
  return list;
}

function said(words) {
  if (status.textContent !== words) status.textContent = words;  // a screen reader speaks every change
}

function shown(faces) {
  const before = [...results.querySelectorAll("details")], focused = before.findIndex((one) => one.contains(document.activeElement));
  const context = canvas.getContext("2d"), thick = Math.max(2, canvas.width / 300);
  context.lineWidth = thick;
  context.font = `${Math.max(12, thick * 8)}px system-ui, sans-serif`;
  results.replaceChildren(...faces.map((face, n) => {
    const [left, top, right, bottom] = face.box, { classes } = PAGE.card;
    context.strokeStyle = "#0a7d4f";
    context.strokeRect(left, top, right - left, bottom - top);
    context.fillStyle = "#0a7d4f";
    context.fillText(`${n + 1}`, left + thick, Math.max(top - thick, thick * 9));
    const best = classes[face.probabilities.indexOf(Math.max(...face.probabilities))], part = element("section", "");
    const { yaw, pitch, roll } = face.pose, affect = PAGE.card.gives.map((name) => `; ${name} ${face[name].toFixed(2)}`).join("");
    part.append(element("h2", `Face ${n + 1}: ${best}`), bars(classes, face.probabilities),
      element("p", `Head pose in degrees: yaw ${yaw.toFixed(1)}, pitch ${pitch.toFixed(1)}, roll ${roll.toFixed(1)}${affect}`));
    if (face.blendshapes) {
      const details = element("details", "");
      details.append(element("summary", "52 blendshapes"), bars(PAGE.blendshapes, face.blendshapes));
      details.open = before[n]?.open ?? false;
      part.append(details);
    }
    return part;
  }));
  if (focused >= 0) results.querySelectorAll("summary")[focused]?.focus({ preventScroll: true });
  said(faces.length ? `${faces.length} face${faces.length > 1 ? "s" : ""} found.` : "No face found.");
}

async function shownFile(file) {
  said(ready ? "Looking for faces …" : "Loading the model …");
  try {
    const bitmap = await createImageBitmap(file, { colorSpaceConversion: "none", premultiplyAlpha: "none" });
    const faces = await predicted(pixelsOf(bitmap, bitmap.width, bitmap.height));
    shown(faces);
    return faces;
  } catch (error) {
    results.replaceChildren();
    said(`${file.name} cannot be shown (${error.message}). Choose a JPEG, PNG or WebP image.`);
    return [];
  }
}

// One picture at a time: a network answers one question at a time.
function queued(work) {
  const done = queue.then(work);
  queue = done.catch(() => []);
  return done;
}

// Returns the faces.
function take(file) {
  stopped();
  return queued(() => shownFile(file));
}

function stopped() {
  stream?.getTracks().forEach((track) => track.stop());
  stream = null;
  webcam.textContent = "Use the webcam";
}

async function shownFrame(video, own) {
  if (stream !== own) return;
  const faces = await predicted(pixelsOf(video, video.videoWidth, video.videoHeight));
  if (stream === own) shown(faces);
}

async function filmed() {
  if (stream) {
    stopped();
    return said("The webcam is off.");
  }
  const own = stream = new MediaStream();  // a second click ends it, even before the camera is allowed
  webcam.textContent = "Stop the webcam";
  said(ready ? "Starting the webcam …" : "Loading the model …");
  try {
    if (!navigator.mediaDevices) throw new Error("the page was not loaded over HTTPS or from the disk");
    const camera = await navigator.mediaDevices.getUserMedia({ video: true });
    camera.getTracks().forEach((track) => {
      own.addTrack(track);
      track.addEventListener("ended", () => { if (stream === own) stopped(); });  // unplugged
    });
    if (stream !== own) return own.getTracks().forEach((track) => track.stop());
    const video = Object.assign(document.createElement("video"), { srcObject: own, muted: true });
    await video.play();
    while (stream === own) {
      await queued(() => shownFrame(video, own));
      await new Promise((resolve) => requestAnimationFrame(resolve));
    }
  } catch (error) {
    if (stream === own) stopped();
    said(`The webcam cannot be used (${error.message}). Allow it, or choose a photograph.`);
  }
  return undefined;
}

fileInput.addEventListener("click", () => { fileInput.value = ""; });  // the same file may be chosen again
fileInput.addEventListener("change", () => { if (fileInput.files[0]) take(fileInput.files[0]); });
webcam.addEventListener("click", filmed);
addEventListener("dragover", (event) => event.preventDefault());
addEventListener("drop", (event) => {
  event.preventDefault();
  if (!event.dataTransfer.files[0]) return;
  fileInput.files = event.dataTransfer.files;  // shows the name
  take(event.dataTransfer.files[0]);
});
globalThis.openfer = { take, last: () => queue };
