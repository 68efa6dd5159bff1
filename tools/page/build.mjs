// Builds the two files of ONNX Runtime that `openfer page` writes into a page: npm ci && npm run build
import { readFileSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const target = new URL("../../src/openfer/inference/page/", import.meta.url).pathname;
await build({
  stdin: { contents: 'import * as ort from "onnxruntime-web/wasm"; globalThis.ort = ort;', resolveDir: "." },
  bundle: true, minify: true, format: "esm", platform: "browser", legalComments: "inline",
  external: ["module", "worker_threads", "node:*"],
  outfile: `${target}runtime.js`,
});
const wasm = readFileSync("node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.wasm");
writeFileSync(`${target}runtime.wasm.gz`, gzipSync(wasm, { level: 9 }));
