/** The marks that are no pod, each in a square for the legend: lines of Services, requests, fences. A name comes in, pixels go out. */
import { cross } from "./motion.js";
import { lock, tab } from "./regions.js";

export const SIGNS = ["tether", "tetherWaiting", "tetherGhost", "request", "asks", "died", "isolated", "namespace"];

/** @param {CanvasRenderingContext2D} c @param {string} name @param {import("./colours.js").Colours} k in a square of 24 */
export function sign(c, name, k) {
  /** @type {Record<string, () => void>} */
  const draw = {
    tether: () => line(c, k.tether, []),
    tetherWaiting: () => line(c, k.pending, [5, 4]),
    tetherGhost: () => line(c, k.failText, [2, 4]),
    request: () => {
      line(c, k.strong, []);
      c.fillStyle = k.request;
      c.beginPath();
      c.arc(7, 12, 4.5, 0, 7);
      c.fill();
      c.fillStyle = k.ready;
      c.fillRect(14, 8.5, 7, 7);
    },
    asks: () => {
      line(c, k.strong, []);
      c.fillStyle = k.request;
      c.beginPath();
      c.moveTo(12, 6.5);
      c.lineTo(17.5, 12);
      c.lineTo(12, 17.5);
      c.lineTo(6.5, 12);
      c.fill();
    },
    namespace: () => tab(c, "shop", 12, 12, 22, 10, k),
    died: () => cross(c, 12, 12, 1, k),
    isolated: () => lock(c, 12, 12, 9, k, { ingress: true, egress: true }),
  };
  draw[name]();
}

/** @param {CanvasRenderingContext2D} c @param {string} colour @param {number[]} dash */
function line(c, colour, dash) {
  c.strokeStyle = colour;
  c.lineWidth = 2;
  c.setLineDash(dash);
  c.beginPath();
  c.moveTo(2, 12);
  c.lineTo(22, 12);
  c.stroke();
  c.setLineDash([]);
}
