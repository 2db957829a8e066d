/**
 * The layer of what stands but has no box: tethers and their counts, between the still and the moving layer. Drawn anew only when the eye,
 * a place, a Service, a source or the focus has changed, however much else does. While the eye moves, a drawing that takes long is moved
 * and stretched as it is, and made anew when the eye rests or what it shows is too little or too coarse; it waits for the picture below it.
 */

/** A drawing that took less, in milliseconds, is made anew with every move of the eye. */
const QUICK = 0.7;
const REST = 120;
/** How far a drawing may be stretched, and moved in parts of the view. */
const COARSE = 1.5;
const FAR = 0.3;

export class Lines {
  /** @param {import("./stage.js").Stage} stage @param {HTMLElement} above the layer that is over it */
  constructor(stage, above) {
    this.stage = stage;
    this.canvas = document.createElement("canvas");
    this.canvas.setAttribute("aria-hidden", "true");
    this.canvas.style.pointerEvents = "none";
    this.canvas.style.transformOrigin = "0 0";
    above.before(this.canvas);
    this.c = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d"));
    /** Counts what has changed; set by whoever changes it. */
    this.version = 0;
    this.drawn = "";
    /** Whence it was drawn. */
    this.eye = { x: 0, y: 0, zoom: 0 };
    /** What the last drawing took. */
    this.took = 0;
    this.resting = 0;
    /** Times it was drawn, and shown as it was from elsewhere, since the page began. */
    this.count = 0;
    this.stretched = 0;
  }

  /** @param {number} w @param {number} h in device pixels */
  resize(w, h) {
    this.canvas.width = w;
    this.canvas.height = h;
    this.drawn = "";
  }

  /** Something of what is drawn here has changed. */
  touch() {
    this.version++;
  }

  /** @param {(c: CanvasRenderingContext2D) => void} draw */
  paint(draw) {
    const { camera, hovered, selected, colours, ratio, width, height, selection } = this.stage;
    const { eye } = this;
    const key = `${this.version}|${hovered}|${selected}|${selection.size}|${colours.ground}|${ratio}|${width}|${height}`;
    const moved = eye.x !== camera.x || eye.y !== camera.y || eye.zoom !== camera.zoom;
    if (!moved && key === this.drawn) return;
    if (this.took > QUICK && ((moved && key === this.drawn && this.#stretch()) || this.stage.busy)) return;
    clearTimeout(this.resting);
    const began = performance.now();
    this.drawn = key;
    this.eye = { x: camera.x, y: camera.y, zoom: camera.zoom };
    this.count++;
    this.canvas.style.transform = this.canvas.style.clipPath = "";
    const { c } = this;
    c.setTransform(ratio, 0, 0, ratio, 0, 0);
    c.clearRect(0, 0, width, height);
    c.save();
    c.beginPath();
    const { x, y, w, h } = camera.view;
    c.rect(x, y, w, h);
    c.clip();
    draw(c);
    c.restore();
    this.took = performance.now() - began;
  }

  /** Shows what was drawn as it would be from here. @returns {boolean} whether that will do */
  #stretch() {
    const { camera } = this.stage;
    const { eye } = this;
    const { x, y, w, h } = camera.view;
    const scale = camera.zoom / eye.zoom;
    const left = x - x * scale + (eye.x - camera.x) * camera.zoom;
    const top = y - y * scale + (eye.y - camera.y) * camera.zoom;
    const off = (/** @type {number} */ from, /** @type {number} */ size) => Math.abs(from + (size * scale) / 2 - size / 2) / size;
    if (scale > COARSE || scale < 1 / COARSE || off(left, w) > FAR || off(top, h) > FAR) return false;
    this.canvas.style.transform = `matrix(${scale}, 0, 0, ${scale}, ${left}, ${top})`;
    this.canvas.style.clipPath = `inset(${Math.max(0, (y - top) / scale)}px 0 0 0)`;
    this.stretched++;
    clearTimeout(this.resting);
    this.resting = setTimeout(() => {
      this.drawn = "";
      this.stage.movingDirty = true;
      this.stage.invalidate();
    }, REST);
    return true;
  }
}
