/** The canvas under the pointer: wheel, drag, pinch, hover and click come in; the stage's eye, hover and selection move. */
import { componentAt, RAIL } from "./rail.js";

/** Pixels a pointer may tremble and still click. */
const STEADY = 4;

/** @param {import("./stage.js").Stage} stage */
export function followPointer(stage) {
  const { host } = stage;
  /** @type {Map<number, {x: number, y: number}>} every finger or button that is down */
  const down = new Map();
  let moved = false;

  /** @param {MouseEvent} event */
  const local = (event) => {
    const at = host.getBoundingClientRect();
    return { x: event.clientX - at.left, y: event.clientY - at.top };
  };
  /** @param {{x: number, y: number}} at */
  const under = ({ x, y }) => (y < RAIL ? componentAt(stage.width, { x, y }) : stage.at(x, y));

  host.addEventListener("wheel", (event) => {
    if (!(event.target instanceof HTMLCanvasElement)) return;
    event.preventDefault();
    const { x, y } = local(event);
    const across = event.shiftKey || Math.abs(event.deltaY) < Math.abs(event.deltaX);
    if (event.ctrlKey || event.metaKey || !across) stage.zoomBy(Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.0016)), x, y);
    else stage.panBy(-event.deltaX - (event.shiftKey ? event.deltaY : 0), 0);
  }, { passive: false });

  host.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || !(event.target instanceof HTMLCanvasElement)) return;
    if (!down.size) moved = false;
    down.set(event.pointerId, local(event));
    event.target.setPointerCapture(event.pointerId);
  });

  host.addEventListener("pointermove", (event) => {
    const at = local(event);
    const was = down.get(event.pointerId);
    if (!was) return event.target instanceof HTMLCanvasElement ? stage.hover(under(at), at.x, at.y) : stage.hover(null, 0, 0);
    if (!moved && Math.hypot(at.x - was.x, at.y - was.y) < STEADY) return;
    moved = true;
    host.classList.add("grabbing");
    stage.hover(null, 0, 0);
    const other = [...down].find(([id]) => id !== event.pointerId)?.[1];
    if (other) stage.zoomBy(Math.hypot(at.x - other.x, at.y - other.y) / Math.max(1, Math.hypot(was.x - other.x, was.y - other.y)), other.x, other.y);
    else stage.panBy(at.x - was.x, at.y - was.y);
    down.set(event.pointerId, at);
  });

  /** @param {PointerEvent} event */
  const up = (event) => {
    const held = down.delete(event.pointerId);
    if (down.size) return;
    host.classList.remove("grabbing");
    if (held && !moved && event.type === "pointerup") stage.parts.onSelect(under(local(event)));
  };
  host.addEventListener("pointerup", up);
  host.addEventListener("pointercancel", up);
  host.addEventListener("pointerleave", () => stage.hover(null, 0, 0));
  host.addEventListener("dblclick", (event) => {
    const { x, y } = local(event);
    if (event.target instanceof HTMLCanvasElement && y > RAIL) stage.zoomBy(1.8, x, y);
  });
}
