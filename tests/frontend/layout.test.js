import assert from "node:assert/strict";
import { test } from "node:test";
import { Camera } from "../../static/js/canvas/camera.js";
import { Layout } from "../../static/js/canvas/layout.js";
import { stretches } from "../../static/js/canvas/overlay.js";
import { PodGrid, Slots } from "../../static/js/canvas/slots.js";
import { bundled, route } from "../../static/js/canvas/tethers.js";

const node = (cpu = 4000) => ({ kind: "Node", name: "n", cpu });
const pod = (where) => ({ kind: "Pod", name: "p", node: where });

/** @param {number} nodes */
function cluster(nodes) {
  const layout = new Layout();
  for (let i = 0; i < nodes; i++) layout.update(`Node//n${i}`, node());
  return layout;
}

/** A pod belongs to its bin, touches no other, and no two share a place. */
function sound(layout) {
  const boxes = [...layout.pods].filter(([, at]) => !at.system).map(([id, at]) => ({ id, at, box: layout.podBox(id) }));
  for (const { id, at, box } of boxes) {
    const home = at.place === "tray" ? layout.trayBox : layout.nodeBox(at.place);
    assert.ok(box.x >= home.x && box.y >= home.y && box.x + box.w <= home.x + home.w + 0.01 && box.y + box.h <= home.y + home.h + 0.01, `${id} leaves ${at.place}`);
    assert.equal(layout.at({ x: box.x + box.w / 2, y: box.y + box.h / 2 }), id);
  }
}

test("a pod that comes or goes moves no other pod of the bin", () => {
  const layout = cluster(4);
  for (let i = 0; i < 6; i++) layout.update(`Pod/d/p${i}`, pod("n1"));
  const before = [0, 1, 2, 4, 5].map((i) => layout.podBox(`Pod/d/p${i}`));
  layout.update("Pod/d/p3", undefined);
  layout.update("Pod/d/new", pod("n1"));
  layout.update("Pod/d/other", pod("n2"));
  assert.deepEqual([0, 1, 2, 4, 5].map((i) => layout.podBox(`Pod/d/p${i}`)), before);
  sound(layout);
});

test("a full bin halves its cells and every pod keeps its corner", () => {
  const layout = cluster(1);
  for (let i = 0; i < 8; i++) layout.update(`Pod/d/p${i}`, pod("n0"));
  const before = [...Array(8).keys()].map((i) => layout.podBox(`Pod/d/p${i}`));
  assert.equal(layout.update("Pod/d/p8", pod("n0")), true);
  [...Array(8).keys()].forEach((i) => {
    const after = layout.podBox(`Pod/d/p${i}`);
    assert.deepEqual([after.x, after.y, after.w], [before[i].x, before[i].y, before[i].w / 2]);
  });
  sound(layout);
});

test("a thousand pods fit in a bin and few pods are large again", () => {
  const layout = cluster(1);
  for (let i = 0; i < 1000; i++) layout.update(`Pod/d/p${i}`, pod("n0"));
  sound(layout);
  const small = layout.podBox("Pod/d/p0").w;
  for (let i = 1; i < 1000; i++) layout.update(`Pod/d/p${i}`, undefined);
  assert.ok(layout.podBox("Pod/d/p0").w > small);
  sound(layout);
});

test("a scheduled pod leaves the tray for its node, and the tray takes any number", () => {
  const layout = cluster(4);
  for (let i = 0; i < 300; i++) layout.update(`Pod/d/p${i}`, pod(undefined));
  sound(layout);
  layout.update("Pod/d/p7", pod("n2"));
  assert.equal(layout.pods.get("Pod/d/p7").place, "Node//n2");
  assert.equal(layout.tray.size, 299);
  sound(layout);
});

test("a node with half the CPU has half the area", () => {
  const layout = cluster(1);
  layout.update("Node//small", node(2000));
  const large = layout.nodeBox("Node//n0");
  const small = layout.nodeBox("Node//small");
  assert.ok(Math.abs((small.w * small.h) / (large.w * large.h) - 0.5) < 0.001);
});

test("slots are the lowest free ones", () => {
  const slots = new Slots();
  assert.deepEqual(["a", "b", "c"].map((id) => slots.take(id)), [0, 1, 2]);
  slots.release("a");
  assert.equal(slots.take("b"), 1);
  assert.equal(slots.take("d"), 0);
  assert.equal(slots.extent, 3);
});

test("random comings and goings never put two pods in one cell", () => {
  let state = 42;
  const random = (below) => ((state = (Math.imul(state, 1103515245) + 12345) >>> 0), Math.floor((state / 2 ** 32) * below));
  const grid = new PodGrid(4, 2);
  const live = new Set();
  for (let i = 0; i < 1500; i++) {
    const id = `p${random(160)}`;
    if (live.has(id) && random(i % 500 < 250 ? 4 : 2) === 0) (live.delete(id), grid.remove(id));
    else (live.add(id), grid.add(id));
    const cells = new Set([...live].map((one) => JSON.stringify(grid.cell(one))));
    assert.equal(cells.size, live.size);
  }
});

test("a tether starts at the Service, ends at the pod and crosses no other bin", () => {
  const layout = cluster(4);
  layout.update("Service/d/s", { kind: "Service", name: "s" });
  for (let i = 0; i < 4; i++) {
    layout.update(`Pod/d/p${i}`, pod(`n${i}`));
    const points = route(layout, "Service/d/s", `Pod/d/p${i}`);
    const home = layout.nodeBox(`Node//n${i}`);
    for (let j = 1; j < points.length; j++) {
      const middle = { x: (points[j].x + points[j - 1].x) / 2, y: (points[j].y + points[j - 1].y) / 2 };
      const hit = layout.at(middle);
      assert.ok(hit === null || hit.startsWith("Service/") || hit === `Node//n${i}` || hit === `Pod/d/p${i}`, `${hit} is crossed on the way to p${i}`);
    }
    assert.ok(points.at(-1).y > home.y);
  }
});

test("zooming keeps the point under the pointer and fit shows the whole box", () => {
  const camera = new Camera();
  camera.view = { x: 0, y: 90, w: 900, h: 500 };
  camera.fit({ x: -50, y: 20, w: 1400, h: 700 }, 20);
  const b = camera.box({ x: -50, y: 20, w: 1400, h: 700 });
  assert.ok(b.x >= 19.9 && b.y >= 109.9 && b.x + b.w <= 880.1 && b.y + b.h <= 570.1);
  const before = camera.world(300, 400);
  camera.zoomAt(1.7, 300, 400);
  const after = camera.world(300, 400);
  assert.ok(Math.hypot(before.x - after.x, before.y - after.y) < 1e-9);
});

test("those left in a crowded tray close up once most have gone", () => {
  const layout = cluster(4);
  for (let i = 0; i < 300; i++) layout.update(`Pod/d/p${i}`, pod(undefined));
  const crowded = layout.podBox("Pod/d/p299").w;
  for (let i = 0; i < 295; i++) layout.update(`Pod/d/p${i}`, pod("n1"));
  assert.ok(layout.podBox("Pod/d/p299").w > crowded);
  sound(layout);
});

test("flows that share a stretch are one line as wide as their sum", () => {
  const trunk = { x: 10, y: 0 };
  const found = stretches([
    [[{ x: 0, y: 0 }, trunk, { x: 10, y: 20 }, { x: 30, y: 20 }], 5],
    [[{ x: 0, y: 0 }, trunk, { x: 10, y: 50 }, { x: 30, y: 50 }], 7],
  ]);
  const on = (x, y) => found.filter(({ from, to }) => from.x <= x && x <= to.x && from.y <= y && y <= to.y).map((one) => one.rate);
  assert.deepEqual([on(5, 0), on(10, 10), on(10, 40), on(20, 20), on(20, 50), on(20, 0)], [[12], [12], [7], [5], [7], []]);
});

test("a source stands beside the Service it asks, whichever came first", () => {
  const layout = cluster(1);
  for (const name of ["a", "b"]) layout.update(`Service/d/${name}`, { kind: "Service", name });
  layout.update("Traffic/d/x", { kind: "Traffic", name: "x", target: "Service/d/b" });
  const middle = (box) => box.y + box.h / 2;
  assert.equal(middle(layout.sourceBox("Traffic/d/x")), middle(layout.serviceBox("Service/d/b")));
  assert.equal(layout.update("Traffic/d/x", { kind: "Traffic", name: "x", target: "Service/d/a" }), true);
  assert.equal(middle(layout.sourceBox("Traffic/d/x")), middle(layout.serviceBox("Service/d/a")));
});

test("many Services become rows, and all of them count for what must be in view", () => {
  const layout = cluster(4);
  for (let i = 0; i < 20; i++) layout.update(`Service/d/s${i}`, { kind: "Service", name: `s${i}` });
  const last = layout.serviceBox("Service/d/s19");
  assert.ok(last.h < 60 && last.y + last.h <= layout.bounds.y + layout.bounds.h);
});

test("workloads and claims have a card unless another's card tells of them", () => {
  const layout = cluster(1);
  const seated = (id, thing) => (layout.update(id, { name: "x", ...thing }), !!layout.box(id));
  assert.ok(seated("StatefulSet/d/db", { kind: "StatefulSet" }));
  assert.ok(!seated("Job/d/run", { kind: "Job", owner: "CronJob/d/c" }));
  assert.ok(!seated("DaemonSet/kube-system/kube-proxy", { kind: "DaemonSet", system: true }));
  assert.ok(!seated("HorizontalPodAutoscaler/d/h", { kind: "HorizontalPodAutoscaler" }));
  assert.ok(seated("PersistentVolumeClaim/d/data", { kind: "PersistentVolumeClaim", phase: "Pending" }));
  assert.ok(seated("PersistentVolume//v", { kind: "PersistentVolume", phase: "Available" }));
  assert.ok(!seated("PersistentVolume//v", { kind: "PersistentVolume", phase: "Bound" }));
  assert.ok(seated("PersistentVolume//v", { kind: "PersistentVolume", phase: "Released" }));
});

test("however many workloads there are, all are within the bounds, in few columns, and no two overlap", () => {
  for (const [nodes, count] of [[1, 3], [4, 7], [4, 60], [4, 300], [100, 200]]) {
    const layout = cluster(nodes);
    for (let i = 0; i < count; i++) layout.update(`Job/d/j${i}`, { kind: "Job", name: `j${i}` });
    const boxes = [...layout.workloads.of.keys()].map((id) => layout.box(id));
    const { x, y, w, h } = layout.bounds;
    for (const box of boxes) assert.ok(box.x >= x && box.y >= y && box.x + box.w <= x + w + 0.01 && box.y + box.h <= y + h + 0.01);
    assert.equal(new Set(boxes.map((box) => `${box.x},${box.y}`)).size, count);
    assert.ok(new Set(boxes.map((box) => box.x)).size <= 6);
    assert.ok(boxes.every((box) => box.x >= Math.max(...[...layout.nodes.of.keys()].map((id) => layout.nodeBox(id).x + layout.nodeBox(id).w))));
  }
});

test("a card that comes moves no other until the columns are full", () => {
  const layout = cluster(4);
  for (let i = 0; i < 10; i++) layout.update(`Job/d/j${i}`, { kind: "Job", name: `j${i}` });
  const before = [...layout.workloads.of.keys()].map((id) => layout.box(id));
  assert.equal(layout.update("Job/d/late", { kind: "Job", name: "late" }), false);
  assert.deepEqual([...layout.workloads.of.keys()].slice(0, 10).map((id) => layout.box(id)), before);
});

test("sources of one Service share its side, those of none stand below all Services, those in pods have no place", () => {
  const layout = cluster(3);
  for (const name of ["a", "b"]) layout.update(`Service/d/${name}`, { kind: "Service", ns: "d", name });
  const source = (target, more = {}) => ({ kind: "Traffic", name: "t", target, rate: 1, ...more });
  layout.update("Traffic//1", source("Service/d/a"));
  layout.update("Traffic//2", source("http://10.0.0.1:80/", { service: "Service/d/a" }));
  layout.update("Traffic//3", source("http://nowhere:80/"));
  layout.update("Traffic//4", source("Node//n1"));
  layout.update("Traffic//5", source("Service/d/a", { source: "Pod/d/p" }));
  const boxes = [1, 2, 3, 4].map((i) => layout.sourceBox(`Traffic//${i}`));
  const card = layout.serviceBox("Service/d/a");
  const last = layout.serviceBox("Service/d/b");
  for (const box of boxes.slice(0, 2)) assert.ok(box.y >= card.y && box.y + box.h <= card.y + card.h);
  for (const box of boxes.slice(2)) assert.ok(box.y >= last.y + last.h);
  boxes.sort((a, b) => a.y - b.y).forEach((box, i) => assert.ok(!i || boxes[i - 1].y + boxes[i - 1].h <= box.y));
  assert.ok(boxes[3].y + boxes[3].h <= layout.bounds.h);
  assert.equal(layout.sourceBox("Traffic//5"), null);
  assert.equal(layout.flows.size, 5);
  layout.update("Traffic//1", undefined);
  assert.equal(layout.sourceBox("Traffic//2").h > boxes[0].h, true);
});

test("a box holds the pods whose middle is in it, wherever they stand", () => {
  const layout = new Layout();
  for (let i = 0; i < 7; i++) layout.update(`Node//w${i}`, { kind: "Node", name: `w${i}`, cpu: i % 2 ? 2000 : 8000 });
  for (let i = 0; i < 200; i++) layout.update(`Pod/a/p${i}`, { kind: "Pod", name: `p${i}`, ns: "a", node: i % 9 ? `w${i % 7}` : undefined, system: i % 20 === 3, state: "ready" });
  let state = 5;
  const random = (below) => ((state = (Math.imul(state, 1103515245) + 12345) >>> 0), (state / 2 ** 32) * below);
  for (let round = 0; round < 60; round++) {
    const { w, h, x, y } = layout.bounds;
    const box = { x: x + random(w), y: y + random(h), w: random(w / 2), h: random(h / 2) };
    const expected = [...layout.pods.keys()].filter((id) => {
      const at = layout.podBox(id);
      const [mx, my] = [at.x + at.w / 2, at.y + at.h / 2];
      return mx >= box.x && mx < box.x + box.w && my >= box.y && my < box.y + box.h;
    });
    assert.deepEqual([...layout.podsIn(box)].sort(), expected.sort());
  }
});

test("bundled ways draw every stretch of the whole ones, and the trunk and the corridors about once", () => {
  const layout = cluster(60);
  layout.update("Service/a/s", { kind: "Service", ns: "a", name: "s" });
  for (let i = 0; i < 30; i++) layout.update(`Pod/a/p${i}`, pod(`n${i * 2}`));
  const ways = Array.from({ length: 30 }, (_, i) => route(layout, "Service/a/s", `Pod/a/p${i}`));
  const pieces = (all) => all.flatMap((way) => way.slice(1).map((point, i) => [way[i], point]));
  const drawn = pieces(bundled(ways));
  const covered = (point) => drawn.some(([a, b]) => point.x >= Math.min(a.x, b.x) - 1e-6 && point.x <= Math.max(a.x, b.x) + 1e-6 && point.y >= Math.min(a.y, b.y) - 1e-6 && point.y <= Math.max(a.y, b.y) + 1e-6);
  for (const [a, b] of pieces(ways)) for (let part = 0; part <= 20; part++) assert.ok(covered({ x: a.x + ((b.x - a.x) * part) / 20, y: a.y + ((b.y - a.y) * part) / 20 }), JSON.stringify([a, b, part]));
  const length = (all) => all.reduce((sum, [a, b]) => sum + Math.abs(a.x - b.x) + Math.abs(a.y - b.y), 0);
  assert.ok(length(drawn) < length(pieces(ways)) / 2);
  for (const [i, way] of bundled(ways).entries()) assert.deepEqual(way.at(-1), ways[i].at(-1), "each ends where it did");
});
