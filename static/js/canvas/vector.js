/**
 * A pen that writes SVG: the painters of the canvas draw with it as with a CanvasRenderingContext2D, and what they drew comes out as real
 * shapes and text. It knows the calls that the painters make, and no others; every point is placed when it is given, so that no transform
 * is left. Images, where a painter makes one, stay images.
 *
 * @typedef {{a: number, d: number, e: number, f: number, clip: string, fillStyle: any, strokeStyle: any, lineWidth: number, globalAlpha: number, lineCap: string, lineJoin: string, lineDash: number[], lineDashOffset: number, font: string, textAlign: string, textBaseline: string}} State
 */

const START = { a: 1, d: 1, e: 0, f: 0, clip: "", fillStyle: "#000", strokeStyle: "#000", lineWidth: 1, globalAlpha: 1, lineCap: "butt", lineJoin: "miter", lineDash: /** @type {number[]} */ ([]), lineDashOffset: 0, font: "10px sans-serif", textAlign: "left", textBaseline: "alphabetic" };
const ANCHOR = { left: "start", start: "start", center: "middle", right: "end", end: "end" };
/** How far below its middle a line of text stands, in parts of its size. */
const MIDDLE = 0.36;
const FONT = /^(?:(italic) )?(?:(\d+|bold|normal) )?([\d.]+)px (.+)$/;

/** @param {number} n */
const short = (n) => `${Math.round(n * 100) / 100}`;
/** @param {unknown} text */
const safe = (text) => `${text}`.replace(/[\x00-\x08\x0b\x0c\x0e-\x1f]/g, "").replace(/[&<>"]/g, (sign) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[sign] ?? "");

/** A way of points as they are given; what `new Path2D()` is while one draws with this pen. */
export class Way {
  constructor() {
    /** @type {[string, ...number[]][]} */
    this.steps = [];
  }
  /** @param {number} x @param {number} y */
  moveTo(x, y) { this.steps.push(["M", x, y]); }
  /** @param {number} x @param {number} y */
  lineTo(x, y) { this.steps.push([this.steps.length ? "L" : "M", x, y]); }
  /** @param {number} cx @param {number} cy @param {number} x @param {number} y */
  quadraticCurveTo(cx, cy, x, y) { this.steps.push(["Q", cx, cy, x, y]); }
  /** @param {number} ax @param {number} ay @param {number} bx @param {number} by @param {number} x @param {number} y */
  bezierCurveTo(ax, ay, bx, by, x, y) { this.steps.push(["C", ax, ay, bx, by, x, y]); }
  closePath() { this.steps.push(["Z"]); }
  /** @param {number} x @param {number} y @param {number} w @param {number} h */
  rect(x, y, w, h) { this.steps.push(["M", x, y], ["L", x + w, y], ["L", x + w, y + h], ["L", x, y + h], ["Z"]); }
  /** @param {number} x @param {number} y @param {number} w @param {number} h @param {number|number[]} radius */
  roundRect(x, y, w, h, radius) {
    const given = [radius].flat();
    const most = Math.min(w, h) / 2;
    const [a, b = a, c = a, d = b] = given.map((one) => Math.max(0, Math.min(one || 0, most)));
    this.steps.push(["M", x + a, y], ["L", x + w - b, y], ["Q", x + w, y, x + w, y + b], ["L", x + w, y + h - c], ["Q", x + w, y + h, x + w - c, y + h], ["L", x + d, y + h], ["Q", x, y + h, x, y + h - d], ["L", x, y + a], ["Q", x, y, x + a, y], ["Z"]);
  }
  /** @param {number} x @param {number} y @param {number} r @param {number} from @param {number} to @param {boolean} [back] */
  arc(x, y, r, from, to, back = false) { this.ellipse(x, y, r, r, 0, from, to, back); }
  /** @param {number} x @param {number} y @param {number} rx @param {number} ry @param {number} _turn @param {number} from @param {number} to @param {boolean} [back] */
  ellipse(x, y, rx, ry, _turn, from, to, back = false) {
    const whole = 2 * Math.PI;
    let sweep = to - from;
    if (Math.abs(sweep) >= whole) sweep = back ? -whole : whole;
    else if (!back && sweep < 0) sweep += whole;
    else if (back && sweep > 0) sweep -= whole;
    this.lineTo(x + rx * Math.cos(from), y + ry * Math.sin(from));
    const parts = Math.abs(sweep) > Math.PI * 0.99 ? 2 : 1;
    for (let i = 1; i <= parts; i++) {
      const at = from + (sweep * i) / parts;
      this.steps.push(["A", rx, ry, sweep > 0 ? 1 : 0, x + rx * Math.cos(at), y + ry * Math.sin(at)]);
    }
  }
  /** @param {number} x @param {number} y @param {number} bx @param {number} by @param {number} r */
  arcTo(x, y, bx, by, r) {
    const last = this.steps.at(-1) ?? ["M", x, y];
    const [ax, ay] = /** @type {number[]} */ (last.slice(-2));
    const [before, after] = [Math.hypot(ax - x, ay - y), Math.hypot(bx - x, by - y)];
    if (!before || !after) return this.lineTo(x, y);
    const turn = Math.acos(Math.max(-1, Math.min(1, ((ax - x) * (bx - x) + (ay - y) * (by - y)) / before / after)));
    if (turn > 3.1 || turn < 0.01) return this.lineTo(x, y);
    const cut = Math.min(r / Math.tan(turn / 2), before, after);
    this.lineTo(x + ((ax - x) / before) * cut, y + ((ay - y) / before) * cut);
    this.quadraticCurveTo(x, y, x + ((bx - x) / after) * cut, y + ((by - y) / after) * cut);
  }
}

/** What is set on a pen as on a canvas's; the dash and the transform go by calls. */
const STYLES = /** @type {const} */ (["fillStyle", "strokeStyle", "lineWidth", "globalAlpha", "lineCap", "lineJoin", "lineDashOffset", "font", "textAlign", "textBaseline"]);

export class Vector {
  constructor() {
    /** Painters ask it: no sprites, no rasters, hatches by name. */
    this.vector = true;
    /** @type {State} */
    this.s = { ...START };
    /** @type {State[]} */
    this.kept = [];
    /** The way that is being made, as it was given and where it lies. */
    this.raw = new Way();
    this.way = new Way();
    /** @type {string[]} */
    this.out = [];
    /** @type {Map<string, string>} definition -> id */
    this.defs = new Map();
    /** @type {Map<object, string>} */
    this.images = new Map();
    this.ruler = /** @type {CanvasRenderingContext2D} */ (document.createElement("canvas").getContext("2d"));
    this.imageSmoothingEnabled = true;
    this.shadowBlur = 0;
    this.shadowColor = "";
    for (const name of STYLES) Object.defineProperty(this, name, { get: () => this.s[name], set: (value) => (/** @type {any} */ (this.s)[name] = value) });
    for (const name of /** @type {const} */ (["moveTo", "lineTo", "quadraticCurveTo", "bezierCurveTo", "closePath", "rect", "roundRect", "arc", "ellipse", "arcTo"]))
      /** @type {any} */ (this)[name] = (/** @type {any[]} */ ...given) => {
        const known = this.raw.steps.length;
        /** @type {any} */ (this.raw)[name](...given);
        this.way.steps.push(...this.#placed(this.raw.steps.slice(known)));
      };
  }

  save() { this.kept.push({ ...this.s }); }
  restore() { this.s = this.kept.pop() ?? this.s; }
  /** @param {number} a @param {number} _b @param {number} _c @param {number} d @param {number} e @param {number} f */
  setTransform(a, _b, _c, d, e, f) { Object.assign(this.s, { a, d, e, f }); }
  /** @param {number} x @param {number} y */
  translate(x, y) { this.setTransform(this.s.a, 0, 0, this.s.d, this.s.e + x * this.s.a, this.s.f + y * this.s.d); }
  /** @param {number} x @param {number} y */
  scale(x, y) { this.setTransform(this.s.a * x, 0, 0, this.s.d * y, this.s.e, this.s.f); }
  /** @param {number[]} dash */
  setLineDash(dash) { this.s.lineDash = [...dash]; }
  beginPath() { this.raw = new Way(); this.way = new Way(); }
  /** Every layer begins empty, and the layers lie over each other: nothing is taken away. */
  clearRect() {}
  /** @param {string} text */
  measureText(text) {
    this.ruler.font = this.s.font;
    return this.ruler.measureText(text);
  }

  /** @param {[string, ...number[]][]} steps @returns {[string, ...number[]][]} */
  #placed(steps) {
    const { a, d, e, f } = this.s;
    return steps.map(([sign, ...n]) => (sign === "A" ? ["A", n[0] * a, n[1] * d, n[2], n[3] * a + e, n[4] * d + f] : [sign, ...n.map((one, i) => (i % 2 ? one * d + f : one * a + e))]));
  }

  /** @param {[string, ...number[]][]} steps */
  #d(steps) {
    return steps.map(([sign, ...n]) => (sign === "A" ? `A${short(n[0])} ${short(n[1])} 0 0 ${n[2]} ${short(n[3])} ${short(n[4])}` : `${sign}${n.map(short).join(" ")}`)).join("");
  }

  /** @param {string} tag @param {string} body its attributes and what is in it, but for the id */
  #define(tag, body) {
    const key = `${tag}|${body}`;
    let id = this.defs.get(key);
    if (!id) this.defs.set(key, (id = `d${this.defs.size + 1}`));
    return id;
  }

  clip() {
    const { clip } = this.s;
    this.s.clip = this.#define("clipPath", `${clip ? ` clip-path="url(#${clip})"` : ""}><path d="${this.#d(this.way.steps)}"/>`);
  }

  get #rest() {
    const { clip, globalAlpha } = this.s;
    return `${globalAlpha < 1 ? ` opacity="${short(globalAlpha)}"` : ""}${clip ? ` clip-path="url(#${clip})"` : ""}`;
  }

  /** @param {any} style */
  #paint(style) {
    return typeof style === "string" ? safe(style) : style?.id ? `url(#${style.id})` : "none";
  }

  /** @param {Way|any} [given] */
  fill(given) { this.#shape(given instanceof Way ? this.#placed(given.steps) : this.way.steps, true); }
  /** @param {Way|any} [given] */
  stroke(given) { this.#shape(given instanceof Way ? this.#placed(given.steps) : this.way.steps, false); }
  /** @param {number} x @param {number} y @param {number} w @param {number} h */
  fillRect(x, y, w, h) { this.#box(x, y, w, h, true); }
  /** @param {number} x @param {number} y @param {number} w @param {number} h */
  strokeRect(x, y, w, h) { this.#box(x, y, w, h, false); }

  /** @param {number} x @param {number} y @param {number} w @param {number} h @param {boolean} full */
  #box(x, y, w, h, full) {
    const way = new Way();
    way.rect(x, y, w, h);
    this.#shape(this.#placed(way.steps), full);
  }

  /** @param {[string, ...number[]][]} steps @param {boolean} full */
  #shape(steps, full) {
    const { s } = this;
    if (!steps.length || s.globalAlpha <= 0) return;
    const dash = s.lineDash.length ? ` stroke-dasharray="${s.lineDash.map((one) => short(one * s.a)).join(" ")}"${s.lineDashOffset ? ` stroke-dashoffset="${short(s.lineDashOffset)}"` : ""}` : "";
    const look = full ? `fill="${this.#paint(s.fillStyle)}"` : `fill="none" stroke="${this.#paint(s.strokeStyle)}" stroke-width="${short(s.lineWidth * s.a)}"${dash}${s.lineCap === "butt" ? "" : ` stroke-linecap="${s.lineCap}"`}${s.lineJoin === "miter" ? "" : ` stroke-linejoin="${s.lineJoin}"`}`;
    this.out.push(`<path d="${this.#d(steps)}" ${look}${this.#rest}/>`);
  }

  /** @param {string} text @param {number} x @param {number} y */
  fillText(text, x, y) {
    const { s } = this;
    if (!text || s.globalAlpha <= 0) return;
    const [, italic, weight = "400", size = "10", family = "sans-serif"] = FONT.exec(s.font) ?? [];
    const px = Number(size) * s.a;
    const anchor = ANCHOR[/** @type {"left"} */ (s.textAlign)] ?? "start";
    const down = s.textBaseline === "middle" ? px * MIDDLE : 0;
    this.out.push(`<text x="${short(x * s.a + s.e)}" y="${short(y * s.d + s.f + down)}" font-family="${safe(family)}" font-size="${short(px)}" font-weight="${weight}"${italic ? ' font-style="italic"' : ""} fill="${this.#paint(s.fillStyle)}"${anchor === "start" ? "" : ` text-anchor="${anchor}"`}${this.#rest} xml:space="preserve">${safe(text)}</text>`);
  }

  /** Diagonal lines that far apart. @param {string} colour @param {number} gap @param {number} line */
  hatch(colour, gap, line) {
    const lines = [-gap, 0, gap].map((at) => `M${at - 1} ${gap + 1}L${at + gap + 1} -1`).join("");
    return { id: this.#define("pattern", ` width="${gap}" height="${gap}" patternUnits="userSpaceOnUse"><path d="${lines}" stroke="${safe(colour)}" stroke-width="${line}"/>`) };
  }

  /** @param {any} image @param {...number} place in whole or `x, y, w, h` */
  drawImage(image, ...place) {
    const [x, y, w = image.width, h = image.height] = place;
    const { a, d, e, f } = this.s;
    let data = this.images.get(image);
    if (!data) {
      const { canvas } = this.ruler;
      canvas.width = image.width;
      canvas.height = image.height;
      this.ruler.drawImage(image, 0, 0);
      this.images.set(image, (data = canvas.toDataURL()));
    }
    this.out.push(`<image x="${short(x * a + e)}" y="${short(y * d + f)}" width="${short(w * a)}" height="${short(h * d)}" href="${data}"${this.#rest}/>`);
  }

  /** The picture. @param {number} width @param {number} height @param {string} title what it is, for whoever reads it */
  svg(width, height, title) {
    const defs = [...this.defs].map(([key, id]) => {
      const at = key.indexOf("|");
      return `<${key.slice(0, at)} id="${id}"${key.slice(at + 1)}</${key.slice(0, at)}>`;
    });
    return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${short(width)} ${short(height)}" width="${short(width)}" height="${short(height)}" role="img"><title>${safe(title)}</title><defs>${defs.join("")}</defs>${this.out.join("\n")}</svg>`;
  }
}
