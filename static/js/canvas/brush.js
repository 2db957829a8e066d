/** Small strokes used everywhere on the canvas. */
import { MONO, SANS } from "./colours.js";

/** No text is smaller than this, where it does not fit it is left out or cut; and none is larger, however near one comes. */
let least = 10;
const LARGEST = 30;
const px = (/** @type {number} */ size) => Math.min(LARGEST, Math.max(least, Math.round(size * 2) / 2));

/** From so near on text is of such a size at least: one reads what is large from further away. @param {number} zoom of the camera */
export const legible = (zoom) => (least = zoom >= 1.6 || zoom < 0.64 ? 10 : zoom < 0.72 ? 11 : 12);

/** Device pixels a pixel. */
let ratio = 1;
/** @param {number} of what is drawn from now on */
export const crisp = (of) => (ratio = of);

/** On whole device pixels: painting a part of a pixel over and over would darken it; a tie falls to the same side from wherever it was worked out. @param {number} v */
export const snap = (v) => Math.round(v * ratio - 1e-3) / ratio;

/** The size of a title, which stands out from the text below it. @param {number} size */
export const titled = (size) => Math.max(least + 1, size);
/** @param {number} size @param {number} [weight] */
export const sans = (size, weight = 500) => `${weight} ${px(size)}px ${SANS}`;
/** @param {number} size @param {number} [weight] */
export const mono = (size, weight = 450) => `${weight} ${px(size)}px ${MONO}`;

/** @param {CanvasRenderingContext2D} c @param {number} x @param {number} y @param {number} w @param {number} h @param {number} r */
export function rounded(c, x, y, w, h, r) {
  c.beginPath();
  c.roundRect(x, y, Math.max(0, w), Math.max(0, h), Math.max(0, Math.min(r, w / 2, h / 2)));
}

/** @type {Map<string, string>} */
const shortened = new Map();

/** @type {Map<string, number>} */
const advances = new Map();

/** Forgets how wide letters are: their font has come. */
export function remeasure() {
  shortened.clear();
  advances.clear();
}

/** How wide each letter of a fixed-width font is; 0 for another font. @param {CanvasRenderingContext2D} c */
export function advance(c) {
  if (!c.font.includes("Mono")) return 0;
  let step = advances.get(c.font);
  if (step === undefined) advances.set(c.font, (step = c.measureText("0").width));
  return step;
}

/**
 * The text, cut in the middle or at the end so that it fits.
 * @param {CanvasRenderingContext2D} c @param {string} text @param {number} width @param {boolean} [middle]
 */
export function fitted(c, text, width, middle = false) {
  const key = `${c.font}|${Math.round(width)}|${middle}|${text}`;
  const known = shortened.get(key);
  if (known !== undefined) return known;
  let result = text;
  const step = /[^\x20-\x7e]/.test(text) ? 0 : advance(c);
  if (step) {
    const keep = Math.floor(width / step + 0.01) - 1;
    if (text.length > keep + 1) result = keep > 1 ? (middle ? `${text.slice(0, Math.ceil(keep / 2))}…${text.slice(text.length - Math.floor(keep / 2))}` : `${text.slice(0, keep)}…`) : "";
  } else {
    const whole = c.measureText(text).width;
    let keep = whole > width ? Math.min(text.length - 1, Math.ceil((text.length * width) / whole) + 2) : 0;
    const cut = (/** @type {number} */ n) => (middle ? `${text.slice(0, Math.ceil(n / 2))}…${text.slice(text.length - Math.floor(n / 2))}` : `${text.slice(0, n)}…`);
    while (keep > 1 && c.measureText(cut(keep)).width > width) keep--;
    if (whole > width) result = keep > 1 ? cut(keep) : "";
  }
  if (shortened.size > 4000) shortened.clear();
  shortened.set(key, result);
  return result;
}

/**
 * @param {CanvasRenderingContext2D} c @param {string} text @param {number} x @param {number} y @param {string} font @param {string} colour
 * @param {CanvasTextAlign} [align] @param {number} [width] @param {boolean} [middle]
 */
export function write(c, text, x, y, font, colour, align = "left", width = 0, middle = false) {
  c.font = font;
  c.fillStyle = colour;
  c.textAlign = align;
  c.textBaseline = "middle";
  c.fillText(width ? fitted(c, text, width, middle) : text, x, y);
}

/** @type {Map<string, CanvasPattern>} */
const hatches = new Map();

/** Diagonal lines that far apart, at rest in what they fill. @param {CanvasRenderingContext2D} c @param {string} colour @param {number} gap @param {number} line @param {number} x @param {number} y its corner */
export function hatch(c, colour, gap, line, x, y) {
  if ("vector" in c) return /** @type {any} */ (c).hatch(colour, gap, line);
  const key = `${colour}|${gap}|${line}`;
  let pattern = hatches.get(key);
  if (!pattern) {
    const tile = document.createElement("canvas");
    tile.width = tile.height = gap;
    const t = /** @type {CanvasRenderingContext2D} */ (tile.getContext("2d"));
    t.strokeStyle = colour;
    t.lineWidth = line;
    t.beginPath();
    for (const at of [-gap, 0, gap]) {
      t.moveTo(at - 1, gap + 1);
      t.lineTo(at + gap + 1, -1);
    }
    t.stroke();
    pattern = /** @type {CanvasPattern} */ (c.createPattern(tile, "repeat"));
    hatches.set(key, pattern);
  }
  pattern.setTransform({ e: snap(x), f: snap(y) });
  return pattern;
}

/** @param {CanvasRenderingContext2D} c @param {number} x @param {number} y @param {number} r @param {number} sides @param {number} [turn] */
export function polygon(c, x, y, r, sides, turn = 0) {
  c.beginPath();
  for (let i = 0; i < sides; i++) {
    const angle = turn + (i * 2 * Math.PI) / sides;
    c.lineTo(x + r * Math.cos(angle), y + r * Math.sin(angle));
  }
  c.closePath();
}

/** @param {number} bytes */
export function bytes(bytes) {
  if (!bytes) return "0";
  const unit = Math.min(4, Math.floor(Math.log2(bytes) / 10));
  const value = bytes / 2 ** (10 * unit);
  return `${value >= 100 ? Math.round(value) : Math.round(value * 10) / 10}${["", "Ki", "Mi", "Gi", "Ti"][unit]}`;
}

/** @param {number} milli */
export const cores = (milli) => (milli % 1000 === 0 ? `${milli / 1000}` : `${milli}m`);
