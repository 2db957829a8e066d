import assert from "node:assert/strict";
import { test } from "node:test";
import { Scene } from "../../static/js/scene.js";

const snapshot = (revision, things) => ({ revision, time: revision, scene: "s", epoch: "", things });

test("who comes after a snapshot is told all there is, once, and nobody else hears it again", () => {
  const scene = new Scene();
  const heard = { early: [], late: [] };
  scene.listen((update) => heard.early.push(update));
  scene.welcome();
  assert.equal(heard.early.length, 0, "there is nothing yet");
  scene.load(snapshot(1, { "Node//a": { kind: "Node", name: "a" }, "Pod/d/p": { kind: "Pod", name: "p" } }));
  scene.apply({ from: 1, to: 2, time: 2, ops: [["delete", "Pod/d/p"]] });
  scene.listen((update) => heard.late.push(update));
  scene.welcome();
  scene.welcome();
  assert.equal(heard.early.length, 2);
  assert.equal(heard.late.length, 1);
  assert.ok(heard.late[0].whole);
  assert.deepEqual(heard.late[0].changes, [{ id: "Node//a", before: undefined, after: { kind: "Node", name: "a" } }]);
  scene.apply({ from: 2, to: 3, time: 3, ops: [["set", "Node//b", { kind: "Node", name: "b" }]] });
  assert.deepEqual([heard.early.length, heard.late.length], [3, 2]);
});

/** A layer over a stage that is nothing but an eye. */
async function layer() {
  const canvas = () => ({ style: {}, setAttribute() {}, getContext: () => new Proxy({}, { get: () => () => undefined, set: () => true }) });
  globalThis.document ??= /** @type {any} */ ({ createElement: canvas });
  const { Lines } = await import("../../static/js/canvas/lines.js");
  const { Camera } = await import("../../static/js/canvas/camera.js");
  const stage = { camera: new Camera(), hovered: null, selected: null, colours: { ground: "#000" }, ratio: 1, width: 1000, height: 800, selection: new Set(), invalidate() {} };
  stage.camera.view = { x: 0, y: 100, w: 1000, h: 700 };
  const lines = new Lines(/** @type {any} */ (stage), /** @type {any} */ ({ before() {} }));
  /** @param {number} took */
  const frame = (took) => {
    const { count } = lines;
    lines.paint(() => undefined);
    if (lines.count !== count) lines.took = took;
  };
  return { stage, lines, frame };
}

test("a drawing of lines that takes long is stretched while the eye moves, and made anew when it rests", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { stage, lines, frame } = await layer();
  frame(9);
  for (let i = 0; i < 20; i++) {
    stage.camera.zoomAt(1.01, 500, 400);
    stage.camera.pan(2, 1);
    frame(9);
    t.mock.timers.tick(30);
  }
  assert.deepEqual([lines.count, lines.stretched], [1, 20]);
  const { eye } = lines;
  const [scale, , , , left, top] = lines.canvas.style.transform.match(/-?[\d.e-]+/g).map(Number);
  const world = { x: 123, y: 45 };
  const then = { x: (world.x - eye.x) * eye.zoom + 0, y: (world.y - eye.y) * eye.zoom + 100 };
  assert.ok(Math.abs(then.x * scale + left - stage.camera.sx(world.x)) < 1e-6 && Math.abs(then.y * scale + top - stage.camera.sy(world.y)) < 1e-6, "what was drawn lies where it belongs");
  t.mock.timers.tick(200);
  frame(9);
  assert.equal(lines.count, 2);
  assert.equal(lines.canvas.style.transform, "");
});

test("it is made anew at once when it is quick, when it would be coarse or far off, and when what it shows has changed", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { stage, lines, frame } = await layer();
  frame(0.5);
  stage.camera.pan(5, 0), frame(9);
  assert.equal(lines.count, 2, "it was quick");
  stage.camera.zoomAt(2, 500, 400), frame(9);
  assert.equal(lines.count, 3, "twice as large");
  stage.camera.pan(400, 0), frame(9);
  assert.equal(lines.count, 4, "two fifths of the view away");
  lines.touch();
  stage.camera.pan(5, 0), frame(9);
  assert.equal(lines.count, 5, "something has changed");
  frame(9);
  assert.deepEqual([lines.count, lines.stretched], [5, 0]);
});
