import assert from "node:assert/strict";
import { test } from "node:test";
import { codeOf, FAINT, palette, raster } from "../../static/js/canvas/density.js";
import { COLOURS } from "../../static/js/canvas/colours.js";
import { Layout } from "../../static/js/canvas/layout.js";
import { Near, MOST } from "../../static/js/canvas/near.js";
import { Shelves } from "../../static/js/canvas/shelves.js";
import { GrowingGrid } from "../../static/js/canvas/slots.js";

let state = 42;
const random = (below) => ((state = (Math.imul(state, 1103515245) + 12345) >>> 0), Math.floor((state / 2 ** 32) * below));
const ZONE = "topology.kubernetes.io/zone";
const node = (cpu = 4000, zone) => ({ kind: "Node", name: "n", cpu, labels: zone ? { [ZONE]: zone } : {} });
const pod = (where, more = {}) => ({ kind: "Pod", name: "p", ns: "d", node: where, state: "ready", ...more });
const overlap = (a, b) => a.x < b.x + b.w - 0.01 && b.x < a.x + a.w - 0.01 && a.y < b.y + b.h - 0.01 && b.y < a.y + a.h - 0.01;

/** Where everything is that has a place. */
const places = (layout, ids) => new Map(ids.map((id) => [id, layout.box(id)]).filter(([, box]) => box));

test("whatever comes, goes or changes, nothing else moves, unless cells or columns double or halve", () => {
  const layout = new Layout();
  const live = new Map();
  const put = (id, thing) => {
    const ids = [...live.keys()].filter((one) => one !== id);
    const before = places(layout, ids);
    const shape = () => [layout.columns, layout.field.across, layout.most, layout.yNodes, layout.trayGrid.size, layout.tray.extent > 0, ...[...layout.bins].map(([place, bin]) => `${place}${bin.grid.level}`).sort()].join();
    const was = shape();
    layout.update(id, thing);
    if (thing) live.set(id, thing);
    else live.delete(id);
    if (shape() !== was) return false;
    for (const [other, box] of before) assert.deepEqual(layout.box(other), box, `${other} moved for ${id}`);
    return true;
  };
  for (let i = 0; i < 40; i++) put(`Node//n${i}`, node(4000, i % 4 ? `zone-${i % 3}` : undefined));
  let calm = 0;
  for (let i = 0; i < 1500; i++) {
    const id = `Pod/d/p${random(300)}`;
    const thing = random(4) ? pod(random(9) ? `n${random(40)}` : undefined, { state: ["ready", "running", "crashloop"][random(3)] }) : undefined;
    if (!thing && !live.has(id)) continue;
    if (put(id, thing)) calm++;
    const boxes = [...layout.pods.keys()].filter(() => random(20) === 0).map((one) => [one, layout.podBox(one)]);
    for (const [one, box] of boxes) assert.equal(layout.at({ x: box.x + box.w / 2, y: box.y + box.h / 2 }), one);
  }
  assert.ok(calm > 1000);
});

test("pods of a bin are counted by state as they come, change, move and go", () => {
  const layout = new Layout();
  layout.toneOf = (thing) => ({ ready: "ready", crashloop: "failing" })[thing.state];
  for (const name of ["a", "b"]) layout.update(`Node//${name}`, node());
  for (let i = 0; i < 5; i++) layout.update(`Pod/d/p${i}`, pod("a"));
  layout.update("Pod/d/p1", pod("a", { state: "crashloop" }));
  layout.update("Pod/d/p2", pod("b"));
  layout.update("Pod/d/p3", undefined);
  assert.deepEqual([layout.bin("Node//a").tally.ready, layout.bin("Node//a").tally.failing, layout.bin("Node//b").tally.ready], [2, 1, 1]);
});

test("nodes of a zone stand together, and a node more moves none of another zone", () => {
  const layout = new Layout();
  for (let i = 0; i < 12; i++) layout.update(`Node//n${i}`, node(4000, `z${i % 3}`));
  const fences = new Map(layout.fences);
  assert.deepEqual([...fences.keys()], ["z0", "z1", "z2"]);
  for (let i = 0; i < 12; i++) {
    const box = layout.nodeBox(`Node//n${i}`);
    for (const [zone, fence] of fences) assert.equal(overlap(box, fence), zone === `z${i % 3}`);
  }
  const others = [...Array(12).keys()].filter((i) => i % 3).map((i) => `Node//n${i}`);
  const before = places(layout, others);
  layout.update("Node//late", node(4000, "z0"));
  for (const [id, box] of before) assert.deepEqual(layout.nodeBox(id), box);
});

test("without two zones there is no fence", () => {
  const layout = new Layout();
  for (let i = 0; i < 4; i++) layout.update(`Node//n${i}`, node(4000, i ? "only" : undefined));
  assert.deepEqual(layout.fences, []);
});

test("the bins in a view are those that touch it", () => {
  for (const zoned of [false, true]) {
    const layout = new Layout();
    for (let i = 0; i < 60; i++) layout.update(`Node//n${i}`, node(4000, zoned ? `z${i % 4}` : undefined));
    for (let i = 0; i < 50; i++) {
      const view = { x: random(4000) - 200, y: random(3000) - 100, w: random(1500), h: random(900) };
      const found = new Set(layout.within(view));
      for (const id of layout.nodes.of.keys()) if (overlap(layout.nodeBox(id), view)) assert.ok(found.has(id), id);
      assert.ok(found.size <= (Math.ceil(view.w / 290) + 2) * (Math.ceil(view.h / 230) + 2) * (zoned ? 2 : 1));
    }
  }
});

const byNamespace = (_, thing) => `Namespace//${thing.ns}`;

test("grouped, pods stand with their group, no two groups overlap, and the larger group has the larger area", () => {
  const layout = new Layout();
  layout.update("Node//n", node());
  const sizes = { a: 400, b: 3, c: 90, d: 12 };
  const things = Object.entries(sizes).flatMap(([ns, count]) => [...Array(count).keys()].map((i) => [`Pod/${ns}/p${i}`, pod(i % 5 ? "n" : undefined, { ns })]));
  for (const [id, thing] of things) layout.update(id, thing);
  layout.regroup(byNamespace, new Map(Object.entries(sizes).map(([ns, count]) => [`Namespace//${ns}`, count])));
  for (const [id, thing] of things) layout.update(id, thing);
  const box = (ns) => layout.nodeBox(`Group/Namespace//${ns}`);
  for (const [id, thing] of things) {
    const cell = layout.podBox(id);
    const home = box(thing.ns);
    assert.ok(cell.x >= home.x && cell.y >= home.y && cell.x + cell.w <= home.x + home.w + 0.01 && cell.y + cell.h <= home.y + home.h + 0.01);
    assert.equal(layout.at({ x: cell.x + 1, y: cell.y + 1 }), id);
  }
  const names = Object.keys(sizes);
  for (const a of names) for (const b of names) if (a < b) assert.ok(!overlap(box(a), box(b)));
  const area = (ns) => box(ns).w * box(ns).h;
  assert.ok(area("a") > area("c") && area("c") > area("d") && area("d") > area("b"));
  assert.ok(area("a") / area("c") < 9 && area("a") / area("c") > 2);
  assert.equal(layout.tray.size, 0);
  layout.regroup(null);
  for (const [id, thing] of things) layout.update(id, thing);
  assert.equal(layout.pods.get("Pod/a/p1").place, "Node//n");
  assert.equal(layout.pods.get("Pod/a/p0").place, "tray");
});

test("a group that grows moves no other, and its own pods keep their column and row", () => {
  const layout = new Layout();
  layout.regroup(byNamespace, new Map([["Namespace//a", 6], ["Namespace//b", 30], ["Namespace//c", 100]]));
  const add = (ns, from, to) => { for (let i = from; i < to; i++) layout.update(`Pod/${ns}/p${i}`, pod("n", { ns })); };
  add("a", 0, 6); add("b", 0, 30); add("c", 0, 100);
  const others = places(layout, [...layout.pods.keys()].filter((id) => !id.startsWith("Pod/a/")));
  const cell = (i) => { const home = layout.nodeBox("Group/Namespace//a"), box = layout.podBox(`Pod/a/p${i}`); return [box.x - home.x, box.w]; };
  const own = [...Array(6).keys()].map(cell);
  add("a", 6, 40);
  for (const [id, box] of others) assert.deepEqual(layout.podBox(id), box, id);
  assert.deepEqual([...Array(6).keys()].map(cell), own);
});

test("the last pod of a group takes the group with it", () => {
  const layout = new Layout();
  layout.regroup(byNamespace, new Map());
  layout.update("Pod/a/p", pod("n", { ns: "a" }));
  assert.ok(layout.nodeBox("Group/Namespace//a"));
  layout.update("Pod/a/p", undefined);
  assert.equal(layout.nodeBox("Group/Namespace//a"), null);
});

test("shelves hold any bins without overlap, whatever grows or goes", () => {
  const shelves = new Shelves((level) => ({ w: 100 * 2 ** (level >> 1), h: 60 * 2 ** ((level + 1) >> 1), header: 10 }), 12);
  shelves.plan([0, 1, 2, 3]);
  const live = new Set();
  for (let i = 0; i < 400; i++) {
    const id = `g${random(40)}`;
    if (random(3)) (shelves.put(id, random(6)), live.add(id));
    else (shelves.remove(id), live.delete(id));
  }
  const boxes = [...live].map((id) => [id, shelves.box(id)]);
  for (const [a, one] of boxes) for (const [b, other] of boxes) if (a < b) assert.ok(!overlap(one, other), `${a} ${b}`);
  for (const [id, box] of boxes) assert.ok(shelves.within({ x: box.x + 1, y: box.y + 1, w: 1, h: 1 }).includes(id));
});

test("a growing grid keeps every cell's column and row", () => {
  const grid = new GrowingGrid();
  for (let i = 0; i < 20; i++) grid.add(`p${i}`);
  const before = [...Array(20).keys()].map((i) => { const { column, row } = grid.cell(`p${i}`); return [column, row]; });
  for (let i = 20; i < 300; i++) grid.add(`p${i}`);
  assert.deepEqual([...Array(20).keys()].map((i) => { const { column, row } = grid.cell(`p${i}`); return [column, row]; }), before);
  for (let i = 2; i < 300; i++) grid.remove(`p${i}`);
  assert.ok(grid.capacity <= 16);
});

test("what is wrong is seen among a hundred thousand, and the filter makes the rest faint", () => {
  const colours = palette(COLOURS.dark);
  const across = 400;
  const codes = new Uint8Array(160_000).fill(codeOf("ready"));
  codes[80_123] = codeOf("crashloop");
  const [w, h] = [120, 120];
  const image = new Uint32Array(w * h);
  raster(image, w, w, h, { codes, across, count: codes.length }, { x: 0, y: 0, size: 0.3 }, colours);
  assert.equal(image.filter((pixel) => pixel === colours[codeOf("crashloop")]).length, 4);
  codes.fill(codeOf("ready") + FAINT);
  codes[7] = codeOf("ready");
  raster(image, w, w, h, { codes, across, count: codes.length }, { x: 0, y: 0, size: 0.3 }, colours);
  assert.equal(image.filter((pixel) => pixel === colours[codeOf("ready")]).length, 1);
});

test("an image of a bin writes each cell into its own pixels, rectangles with gaps once there is room", () => {
  const colours = palette(COLOURS.light);
  const codes = Uint8Array.from([codeOf("ready"), 0, codeOf("running"), codeOf("failed")]);
  const image = new Uint32Array(20 * 20);
  raster(image, 20, 16, 16, { codes, across: 2, count: 4 }, { x: 0, y: 0, size: 8 }, colours);
  const at = (x, y) => image[y * 20 + x];
  assert.equal(at(4, 4), colours[codeOf("ready")]);
  assert.equal(at(12, 4), colours[0]);
  assert.equal(at(4, 12), colours[codeOf("running")]);
  assert.equal(at(12, 12), colours[codeOf("failed")]);
  assert.equal(at(0, 0), colours[0]);
});

test("near by, only what is in view is asked for, once as long as it stays the same, and never too much at once", async () => {
  const asked = [];
  const things = [...Array(150).keys()].map((i) => [`Pod/d/p${i}`, pod("n")]);
  await new Promise((done) => {
    const near = new Near(async (ids) => (asked.push(ids), { pods: Object.fromEntries(ids.map((id) => [id, { containers: [], volumes: [] }])) }), () => {
      if (asked.flat().length < 150) return;
      setTimeout(() => {
        for (const [id, thing] of things) assert.ok(near.of(id, thing));
        assert.equal(near.wanted.size, 0);
        near.of("Pod/d/p0", { ...things[0][1] });
        assert.equal(near.wanted.size, 1);
        clearTimeout(near.timer);
        done();
      });
    });
    let frames = setInterval(() => {
      for (const [id, thing] of things) near.of(id, thing);
      if (asked.flat().length >= 150) clearInterval(frames);
    }, 30);
  });
  assert.ok(asked.every((ids) => ids.length <= MOST));
});
