/**
 * Far out, under three pixels a pod, pods are written straight into an image: one block of colour each, what is wrong last, so
 * that a single failing pod among a hundred thousand is still seen.
 */
import { ANOMALIES, TONE } from "./colours.js";

/** @param {string} hex */
function rgba(hex) {
  const n = parseInt(hex.slice(1), 16);
  return (255 << 24) | ((n & 255) << 16) | (((n >> 8) & 255) << 8) | (n >> 16);
}

/**
 * @param {CanvasRenderingContext2D} c @param {number} scale device pixels a CSS pixel
 * @param {Iterable<[import("../types").Thing, import("../types").Box]>} pods boxes in CSS pixels @param {import("../types").Box} view @param {import("./colours.js").Colours} k
 */
export function density(c, scale, pods, view, k) {
  const width = Math.ceil(view.w * scale);
  const height = Math.ceil(view.h * scale);
  if (width < 1 || height < 1) return;
  const image = new ImageData(width, height);
  const pixels = new Uint32Array(image.data.buffer);
  /** @type {Record<string, number>} */
  const colours = {};
  for (const [state, tone] of Object.entries(TONE)) colours[state] = rgba(k[tone]);
  /** @param {string} state @param {import("../types").Box} b @param {number} least */
  const block = (state, b, least) => {
    const colour = colours[state] ?? colours.creating;
    const x0 = Math.max(0, Math.round((b.x - view.x) * scale));
    const y0 = Math.max(0, Math.round((b.y - view.y) * scale));
    const x1 = Math.min(width, x0 + Math.max(least, Math.round(b.w * scale * 0.85)));
    const y1 = Math.min(height, y0 + Math.max(least, Math.round(b.h * scale * 0.85)));
    for (let y = y0; y < y1; y++) pixels.fill(colour, y * width + x0, y * width + x1);
  };
  /** @type {[string, import("../types").Box][]} */
  const wrong = [];
  for (const [pod, box] of pods) {
    if (box.x > view.x + view.w || box.y > view.y + view.h || box.x + box.w < view.x || box.y + box.h < view.y) continue;
    if (ANOMALIES.has(pod.state ?? "")) wrong.push([pod.state ?? "", box]);
    else block(pod.state ?? "", box, 1);
  }
  for (const [state, box] of wrong) block(state, box, 2);
  const buffer = new OffscreenCanvas(width, height);
  /** @type {OffscreenCanvasRenderingContext2D} */ (buffer.getContext("2d")).putImageData(image, 0, 0);
  c.drawImage(buffer, view.x, view.y, view.w, view.h);
}
