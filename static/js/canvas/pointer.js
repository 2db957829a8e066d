/**
 * The canvas under the pointer: wheel, drag, pinch, hover, click, box and long press come in; the stage's eye and hover move, and what is
 * meant to be selected, boxed or asked for its menu is told to the stage's parts.
 */
import { componentAt, RAIL } from "./rail.js";

/** Pixels a pointer may tremble and still click; a finger trembles more. */
const STEADY = 4;
const STEADY_TOUCH = 9;
/** A finger that rests so long, in milliseconds, asks for the menu. */
const LONG = 500;

/** @param {import("./stage.js").Stage} stage */
export function followPointer(stage) {
  const { host } = stage;
  /** @type {Map<number, {x: number, y: number}>} every finger or button that is down */
  const down = new Map();
  let moved = false;
  let resting = 0;
  /** @type {{from: {x: number, y: number}, to: {x: number, y: number}, element: HTMLElement}|null} */
  let box = null;

  /** @param {MouseEvent} event */
  const local = (event) => {
    const at = host.getBoundingClientRect();
    return { x: event.clientX - at.left, y: event.clientY - at.top };
  };
  /** @param {{x: number, y: number}} at */
  const under = ({ x, y }) => (y < RAIL ? componentAt(stage.width, { x, y }) : stage.at(x, y));
  /** @param {EventTarget|null} target */
  const canvas = (target) => target instanceof HTMLCanvasElement;
  /** @param {MouseEvent} event */
  const adds = (event) => event.shiftKey || event.ctrlKey || event.metaKey;

  host.addEventListener("wheel", (event) => {
    if (!canvas(event.target)) return;
    event.preventDefault();
    const { x, y } = local(event);
    const across = event.shiftKey || Math.abs(event.deltaY) < Math.abs(event.deltaX);
    if (event.ctrlKey || event.metaKey || !across) stage.zoomBy(Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.0016)), x, y);
    else stage.panBy(-event.deltaX - (event.shiftKey ? event.deltaY : 0), 0);
  }, { passive: false });

  host.addEventListener("pointerdown", (event) => {
    clearTimeout(resting);
    if (event.button !== 0 || !canvas(event.target)) return;
    if (!down.size) moved = false;
    const at = local(event);
    down.set(event.pointerId, at);
    /** @type {HTMLCanvasElement} */ (event.target).setPointerCapture(event.pointerId);
    if (event.pointerType === "touch" && down.size === 1) resting = setTimeout(() => {
      moved = true;
      down.clear();
      stage.parts.onMenu?.(under(at), at.x, at.y);
    }, LONG);
    if (event.shiftKey && event.pointerType !== "touch" && down.size === 1 && at.y > RAIL) {
      const element = document.createElement("div");
      element.className = "lasso";
      box = { from: at, to: at, element };
    }
  });

  /** @param {{x: number, y: number}} to */
  const boxed = (to) => {
    if (!box) return;
    if (!box.element.isConnected) host.append(box.element);
    box.to = { x: to.x, y: Math.max(RAIL, to.y) };
    const { from, element } = box;
    element.style.transform = `translate(${Math.min(from.x, box.to.x)}px, ${Math.min(from.y, box.to.y)}px)`;
    element.style.width = `${Math.abs(from.x - box.to.x)}px`;
    element.style.height = `${Math.abs(from.y - box.to.y)}px`;
  };

  host.addEventListener("pointermove", (event) => {
    const at = local(event);
    const was = down.get(event.pointerId);
    if (!was) return canvas(event.target) ? stage.hover(under(at), at.x, at.y) : stage.hover(null, 0, 0);
    if (!moved && Math.hypot(at.x - was.x, at.y - was.y) < (event.pointerType === "touch" ? STEADY_TOUCH : STEADY)) return;
    moved = true;
    clearTimeout(resting);
    stage.hover(null, 0, 0);
    if (box) return boxed(at);
    host.classList.add("grabbing");
    const other = [...down].find(([id]) => id !== event.pointerId)?.[1];
    if (other) stage.zoomBy(Math.hypot(at.x - other.x, at.y - other.y) / Math.max(1, Math.hypot(was.x - other.x, was.y - other.y)), other.x, other.y);
    else stage.panBy(at.x - was.x, at.y - was.y);
    down.set(event.pointerId, at);
  });

  /** @param {PointerEvent} event */
  const up = (event) => {
    clearTimeout(resting);
    const held = down.delete(event.pointerId);
    if (down.size) return;
    host.classList.remove("grabbing");
    const drawn = box;
    box = null;
    drawn?.element.remove();
    if (!held || event.type !== "pointerup") return;
    if (drawn && moved) {
      const [a, b] = [stage.camera.world(Math.min(drawn.from.x, drawn.to.x), Math.min(drawn.from.y, drawn.to.y)), stage.camera.world(Math.max(drawn.from.x, drawn.to.x), Math.max(drawn.from.y, drawn.to.y))];
      stage.parts.onBox?.({ x: a.x, y: a.y, w: b.x - a.x, h: b.y - a.y }, event.ctrlKey || event.metaKey);
    } else if (!moved) stage.parts.onSelect(under(local(event)), adds(event));
  };
  host.addEventListener("pointerup", up);
  host.addEventListener("pointercancel", up);
  host.addEventListener("pointerleave", () => stage.hover(null, 0, 0));
  host.addEventListener("contextmenu", (event) => {
    if (!canvas(event.target)) return;
    event.preventDefault();
    clearTimeout(resting);
    if (/** @type {PointerEvent} */ (event).pointerType === "touch") return;
    const at = local(event);
    stage.parts.onMenu?.(under(at), at.x, at.y);
  });
  host.addEventListener("dblclick", (event) => {
    const { x, y } = local(event);
    if (canvas(event.target) && y > RAIL && !adds(event)) stage.zoomBy(1.8, x, y);
  });
}
