/**
 * Where the eye is: world units to pixels of the canvas and back. Pan, zoom about a point, fit a box. Pure arithmetic.
 * @typedef {import("../types").Box} Box
 */
export const MIN_ZOOM = 0.02;
export const MAX_ZOOM = 8;

export class Camera {
  constructor() {
    this.x = 0;
    this.y = 0;
    this.zoom = 1;
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
    this.zoom = Math.min(MAX_ZOOM, Math.max(MIN_ZOOM, this.zoom * factor));
    const after = this.world(sx, sy);
    this.x += before.x - after.x;
    this.y += before.y - after.y;
  }

  /** @param {Box} box @param {number} [margin] @param {number} [below] pixels to leave free at the bottom @param {number} [most] the closest it may come */
  fit(box, margin = 24, below = 0, most = 1.4) {
    const { w } = this.view;
    const h = this.view.h - below;
    const zoom = Math.min((w - 2 * margin) / Math.max(1, box.w), (h - 2 * margin) / Math.max(1, box.h), most);
    this.zoom = Math.min(MAX_ZOOM, Math.max(MIN_ZOOM, zoom));
    this.x = box.x + box.w / 2 - w / 2 / this.zoom;
    this.y = box.y + box.h / 2 - h / 2 / this.zoom;
  }
}
