/**
 * Far out pods are written straight into an image, a block of colour each: less than three pixels a pod one sees density, above that
 * rectangles. What is wrong is written last and never smaller than two pixels, so that one failing pod among a hundred thousand is seen.
 */
import { ANOMALIES, TONE } from "./colours.js";

const STATES = ["creating", "unscheduled", "pulling", "running", "ready", "crashloop", "imagepull", "oom", "failed", "succeeded", "terminating", "lost"];
/** @type {Record<string, number>} */
const CODES = Object.fromEntries(STATES.map((state, index) => [state, index + 1]));
/** Added to the code of what the filter does not let stand out. */
export const FAINT = 16;
const HOLLOW = CODES.unscheduled;
/** The later a rank is written the surer it is seen. */
const RANK = new Uint8Array(32);
for (const state of STATES) RANK[CODES[state]] = ANOMALIES.has(state) ? 3 : TONE[state] === "ready" || TONE[state] === "done" ? 1 : 2;

/** What stands for a state in a cell. @param {string|undefined} state */
export const codeOf = (state) => CODES[state ?? ""] ?? CODES.creating;

/** @param {string} hex @returns {number[]} */
const channels = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));

/** Every code's pixel. @param {import("./colours.js").Colours} k */
export function palette(k) {
  const pixels = new Uint32Array(32);
  const ground = channels(k.panel);
  const pixel = (/** @type {number[]} */ [r, g, b]) => (255 << 24) | (b << 16) | (g << 8) | r;
  pixels[0] = pixel(ground);
  for (const state of STATES) {
    const colour = channels(k[TONE[state]]);
    pixels[CODES[state]] = pixel(colour);
    pixels[CODES[state] + FAINT] = pixel(colour.map((v, i) => Math.round(v * 0.2 + ground[i] * 0.8)));
  }
  return pixels;
}

/** Which ranks there are, a bit each. @param {Uint8Array} codes @param {number} count */
function ranksOf(codes, count) {
  let ranks = 0;
  for (let slot = 0; slot < count; slot++) if (codes[slot]) ranks |= 1 << RANK[codes[slot]];
  return ranks;
}

/**
 * Writes a bin's cells into an image of the part of it that is seen.
 * @param {Uint32Array} image @param {number} stride pixels in one of its rows @param {number} w @param {number} h of the part that is written, from its corner
 * @param {{codes: Uint8Array, across: number, count: number}} cells `count`: one past the last one
 * @param {{x: number, y: number, size: number}} place of the first cell's corner in the image, and a cell's edge, in pixels
 * @param {Uint32Array} colours @param {number} [only] the code that all of them have, if their node is lost
 */
export function raster(image, stride, w, h, { codes, across, count }, { x, y, size }, colours, only = 0) {
  for (let line = 0; line < h; line++) image.fill(colours[0], line * stride, line * stride + w);
  const gap = size >= 6 ? 2 : size >= 2.5 ? 1 : 0;
  const shift = gap >> 1;
  const from = Math.max(0, Math.floor(-x / size) - 1);
  const to = Math.min(across - 1, Math.ceil((w - x) / size));
  const top = Math.max(0, Math.floor(-y / size) - 1);
  const end = Math.min(Math.ceil(count / across) - 1, Math.ceil((h - y) / size));
  const ranks = only ? 1 << RANK[only] : ranksOf(codes, Math.min(count, (end + 1) * across));
  for (let rank = 0; rank <= 3; rank++) {
    if (!(ranks & (1 << rank))) continue;
    const least = rank === 3 ? 2 : 1;
    for (let row = top; row <= end; row++) {
      const y0 = Math.round(y + row * size) + shift;
      const y1 = Math.min(h, Math.max(y0 + least, Math.round(y + (row + 1) * size) + shift - gap));
      for (let column = from; column <= to; column++) {
        const slot = row * across + column;
        const code = slot < count ? codes[slot] : 0;
        if (!code) continue;
        const shown = only || code;
        if (RANK[shown] !== rank) continue;
        const x0 = Math.round(x + column * size) + shift;
        const x1 = Math.min(w, Math.max(x0 + least, Math.round(x + (column + 1) * size) + shift - gap));
        const left = x0 < 0 ? 0 : x0;
        const colour = colours[shown];
        if (x1 - left === 1 && y1 - y0 === 1) {
          if (y0 >= 0) image[y0 * stride + left] = colour;
          continue;
        }
        for (let line = y0 < 0 ? 0 : y0; line < y1; line++) image.fill(colour, line * stride + left, line * stride + (x1 < left ? left : x1));
        if ((shown & 15) === HOLLOW && size >= 6) for (let line = Math.max(0, y0 + 1); line < y1 - 1; line++) image.fill(colours[0], line * stride + Math.max(0, x0 + 1), line * stride + Math.max(0, x0 + 1, x1 - 1));
      }
    }
  }
}
