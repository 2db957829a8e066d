import assert from "node:assert/strict";
import test from "node:test";
import { leader, place } from "../../static/js/canvas/callouts.js";

const VIEW = { x: 0, y: 96, w: 1000, h: 600 };
const SIZES = [{ w: 200, h: 48 }, { w: 140, h: 60 }, { w: 150, h: 22 }];
const pod = (x, y) => ({ x, y, w: 46, h: 46 });
const item = (key, ...anchors) => ({ key, anchors, sizes: SIZES });
const boxed = (found, items) => items.flatMap(({ key, sizes }) => (found.has(key) ? [{ ...found.get(key), w: sizes[found.get(key).size].w, h: sizes[found.get(key).size].h }] : []));
const meet = (a, b) => a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;

test("a callout stands beside its pod, covers no pod and stays in view", () => {
  const pods = Array.from({ length: 24 }, (_, i) => pod(300 + (i % 8) * 50, 300 + Math.floor(i / 8) * 50));
  for (const anchor of [pods[0], pods[11], pods[23]]) {
    const items = [item("one", anchor)];
    const [box] = boxed(place(items, pods, [], VIEW), items);
    assert.ok(pods.every((one) => !meet(one, box)));
    assert.ok(box.x >= VIEW.x && box.y >= VIEW.y && box.x + box.w <= 1000 && box.y + box.h <= 696);
    assert.ok(Math.hypot(box.x - anchor.x, box.y - anchor.y) < 330);
  }
});

test("many callouts keep clear of one another, and what finds no place is left out", () => {
  const items = Array.from({ length: 40 }, (_, i) => item(`${i}`, pod(500, 380 + i)));
  const found = place(items, [], [], VIEW);
  const boxes = boxed(found, items);
  assert.ok(boxes.length > 15);
  boxes.forEach((a, i) => boxes.slice(i + 1).forEach((b) => assert.ok(!meet(a, b))));
  assert.equal(place([item("one", pod(400, 300))], [VIEW], [], VIEW).size, 0);
});

test("the same picture gives the same places, the gravest first choice", () => {
  const items = [item("a", pod(400, 300)), item("b", pod(402, 300))];
  const first = place(items, [pod(400, 300)], [], VIEW);
  assert.deepEqual(place(items, [pod(400, 300)], [], VIEW), first);
  assert.deepEqual(place([items[0]], [pod(400, 300)], [], VIEW).get("a"), first.get("a"), "as if it were alone");
});

test("a callout keeps its place while that is free, though another would be a little nearer", () => {
  const alone = item("a", pod(400, 300));
  const first = place([alone], [pod(400, 300), { x: 300, y: 346, w: 300, h: 60 }], [], VIEW).get("a");
  const was = { dx: first.x - 400, dy: first.y - 300, size: first.size };
  assert.deepEqual(place([{ ...alone, was }], [pod(400, 300)], [], VIEW).get("a"), first);
  const taken = place([{ ...alone, was }], [pod(400, 300), { x: first.x, y: first.y, w: 60, h: 30 }], [], VIEW).get("a");
  assert.notDeepEqual(taken, first);
});

test("where the whole text has no room near by, a shorter one stands nearer", () => {
  const slot = { x: 420, y: 330, w: 168, h: 32 };
  const anchor = pod(400, 280);
  const walls = [{ x: 0, y: 96, w: 1000, h: slot.y - 96 }, { x: 0, y: slot.y, w: slot.x, h: 300 }, { x: slot.x + slot.w, y: slot.y, w: 500, h: 300 }, { x: 0, y: slot.y + slot.h, w: 1000, h: 220 }];
  const found = place([item("a", anchor)], walls, [], VIEW).get("a");
  assert.equal(found.size, 2);
  assert.ok(found.y >= slot.y && found.y + 22 <= slot.y + slot.h);
});

test("its line does not run over another pod", () => {
  const pods = [pod(300, 300), pod(350, 300), pod(400, 300)];
  const walls = [...pods, { x: 0, y: 96, w: 1000, h: 200 }, { x: 0, y: 350, w: 1000, h: 400 }, { x: 446, y: 296, w: 54, h: 54 }];
  const items = [item("a", pods[1])];
  const [box] = boxed(place(items, walls, [], VIEW), items);
  const free = place([item("a", pods[2])], [...pods, { x: 0, y: 96, w: 1000, h: 200 }, { x: 0, y: 350, w: 1000, h: 400 }], [], VIEW).get("a");
  assert.ok(box.x < 300 || box.x > 446);
  assert.ok(free.x >= 446, "on its own side");
});

test("lines are rather not covered", () => {
  const line = { x: 446, y: 250, w: 300, h: 140 };
  const found = place([item("a", pod(400, 300))], [pod(400, 300)], [line], VIEW).get("a");
  assert.ok(!meet({ x: found.x, y: found.y, ...SIZES[found.size] }, line));
});

test("a callout's line goes straight from its edge to what it is about", () => {
  assert.deepEqual(leader({ x: 100, y: 100, w: 100, h: 40 }, { x: 120, y: 200, w: 40, h: 40 }), { start: { x: 140, y: 140 }, end: { x: 140, y: 200 } });
});

test("where everything is covered only the three gravest have a long line, the rest are left to the strip", () => {
  const wall = { x: 250, y: 150, w: 500, h: 500 };
  const items = [...Array.from({ length: 6 }, (_, i) => item(`deep${i}`, { x: 480 + i * 8, y: 380, w: 6, h: 6 })), item("edge", { x: 260, y: 400, w: 6, h: 6 })];
  const found = place(items, [wall], [], VIEW);
  assert.deepEqual([...found.keys()], ["deep0", "deep1", "deep2", "edge"]);
});

test("the whole text is taken where it fits as near as a shorter one", () => {
  const found = place([item("a", pod(500, 400))], [], [], VIEW);
  assert.equal(found.get("a").size, 0);
  const narrow = place([item("a", pod(500, 400))], [{ x: 0, y: 96, w: 1000, h: 300 }, { x: 0, y: 440, w: 1000, h: 256 }, { x: 650, y: 96, w: 350, h: 600 }, { x: 0, y: 96, w: 350, h: 600 }], [], VIEW);
  assert.notEqual(narrow.get("a")?.size, 0, "and a shorter one where only that has room");
});

test("a callout stands in its bin or beside it, not across its side", () => {
  const home = { x: 300, y: 250, w: 240, h: 200 };
  const one = { ...item("a", pod(310, 290)), home };
  const found = place([one], [pod(310, 290), { x: 300, y: 250, w: 240, h: 38 }], [], VIEW).get("a");
  const { w } = SIZES[found.size];
  assert.ok((found.x >= home.x && found.x + w <= home.x + home.w) || found.x + w <= home.x || found.x >= home.x + home.w, JSON.stringify(found));
  const narrow = { ...home, w: 60 };
  assert.ok(place([{ ...one, home: narrow }], [pod(310, 290)], [], VIEW).has("a"), "and where its bin is too narrow it has a place all the same");
});
