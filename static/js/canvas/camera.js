/**
 * Where the eye is: world units to pixels of the canvas and back. Pan, zoom about a point, fit a box. Pure arithmetic.
 * @typedef {import("../types").Box} Box
 */
const MIN_ZOOM = 0.02;
const MAX_ZOOM = 8;

export class Camera {
  constructor() {
    this.x = 0;
    this.y = 0;
    this.zoom = 1;
    this.least = MIN_ZOOM;
    this.most = MAX_ZOOM;
    this.view = { x: 0, y: 0, w: 100, h: 100 };
  }

  /** @param {number} wx */
  sx(wx) {
    return (wx - this.x) * this.zoom + this.view.x;
  }

  /** @param {number} wy */
  sy(wy) {
    return (wy - this.y) * this.zoom + this.view.y;
  }

  /** @param {number} sx @param {number} sy */
  world(sx, sy) {
    return { x: (sx - this.view.x) / this.zoom + this.x, y: (sy - this.view.y) / this.zoom + this.y };
  }

  /** @param {Box} box @returns {Box} */
  box(box) {
    return { x: this.sx(box.x), y: this.sy(box.y), w: box.w * this.zoom, h: box.h * this.zoom };
  }

  /** @param {number} dx @param {number} dy in pixels */
  pan(dx, dy) {
    this.x -= dx / this.zoom;
    this.y -= dy / this.zoom;
  }

  /** @param {number} factor @param {number} sx @param {number} sy the pixel that stays put */
  zoomAt(factor, sx, sy) {
    const before = this.world(sx, sy);
    this.zoom = Math.min(Math.max(this.most, this.zoom), Math.max(Math.min(this.least, this.zoom), this.zoom * factor));
    const after = this.world(sx, sy);
    this.x += before.x - after.x;
    this.y += before.y - after.y;
  }

  /** From how far to how near one may see. @param {number} least @param {number} most */
  bound(least, most) {
    this.least = Math.min(MIN_ZOOM, least);
    this.most = Math.max(MAX_ZOOM, most);
  }

  /** @param {Box} box @param {number} [margin] @param {number} [below] pixels to leave free at the bottom @param {number} [most] the closest it may come @param {number} [above] pixels to leave free at the top */
  fit(box, margin = 24, below = 0, most = 1.4, above = 0) {
    const { w } = this.view;
    const h = this.view.h - below - above;
    const zoom = Math.min((w - 2 * margin) / Math.max(1, box.w), (h - 2 * margin) / Math.max(1, box.h), most);
    this.zoom = Math.max(1e-4, zoom);
    this.x = box.x + box.w / 2 - w / 2 / this.zoom;
    this.y = box.y + box.h / 2 - (h / 2 + above) / this.zoom;
  }
}
