/** The tree beside the canvas: what stands where, kept up change by change. */
import assert from "node:assert/strict";
import { test } from "node:test";
globalThis.document ??= { documentElement: {} };
globalThis.localStorage ??= { getItem: () => null };
const { Forest, groupOf } = await import("../../static/js/forest.js");
const { tell } = await import("../../static/js/tree.js");

const node = (name) => [`Node//${name}`, { kind: "Node", name, ready: "True" }];
const pod = (name, on, more = {}) => [`Pod/default/${name}`, { kind: "Pod", ns: "default", name, node: on, state: "ready", ...more }];

function planted(...given) {
  const things = new Map(given);
  const forest = new Forest();
  forest.take({ changes: [], signals: [], whole: true }, things);
  /** @param {string} id @param {any} after */
  const change = (id, after) => {
    const before = things.get(id);
    if (after) things.set(id, after);
    else things.delete(id);
    forest.take({ changes: [{ id, before, after }], signals: [], whole: false }, things);
  };
  const rows = () => (forest.lay(), Array.from({ length: forest.size }, (_, index) => forest.row(index).id));
  return { forest, things, change, rows };
}

test("pods stand under their node, in the tray without one, and nodes in natural order", () => {
  const { rows } = planted(node("w10"), node("w2"), pod("b", "w2"), pod("a", "w2"), pod("late"));
  assert.deepEqual(rows(), ["group.unscheduled", "Pod/default/late", "Node//w2", "Pod/default/a", "Pod/default/b", "Node//w10"]);
});

test("a row knows its level, its place and how many there are", () => {
  const { forest } = planted(node("w1"), pod("a", "w1"), pod("b", "w1"));
  forest.lay();
  assert.deepEqual([forest.row(0), forest.row(2)].map(({ level, place, of }) => [level, place, of]), [[1, 1, 1], [2, 2, 2]]);
  assert.equal(forest.row(3), null);
});

test("after any changes it is as if it had been planted anew", () => {
  let seed = 5;
  const chance = (below) => (seed = (seed * 1103515245 + 12345) % 2147483648) % below;
  const { forest, things, change, rows } = planted(node("w1"), node("w2"), node("w3"));
  for (let step = 0; step < 2000; step++) {
    const name = `p${chance(40)}`;
    if (chance(12) === 0) change(`Node//w${4 + chance(3)}`, chance(2) ? { kind: "Node", name: "n", ready: "True" } : undefined);
    else change(`Pod/default/${name}`, chance(4) ? { kind: "Pod", ns: "default", name, node: ["w1", "w2", "w3", undefined][chance(4)], system: chance(9) === 0 } : undefined);
    if (step % 200) continue;
    const fresh = new Forest();
    fresh.take({ changes: [], signals: [], whole: true }, things);
    fresh.lay();
    assert.deepEqual(rows(), Array.from({ length: fresh.size }, (_, index) => fresh.row(index).id));
    rows().forEach((id, index) => assert.equal(forest.index(id, things.get(id)), index));
  }
});

test("what is folded takes one row", () => {
  const { forest, rows } = planted(node("w1"), pod("a", "w1"), pod("s", "w1", { system: true }));
  assert.deepEqual(rows(), ["Node//w1", "Pod/default/a", "group.system"]);
  forest.shut.add("Node//w1");
  forest.laid = null;
  assert.deepEqual(rows(), ["Node//w1", "group.system"]);
  assert.equal(forest.index("Pod/default/a", { kind: "Pod", node: "w1" }), -1);
});

test("a change of one pod among ten thousand sorts nothing and touches one group", () => {
  const many = Array.from({ length: 10000 }, (_, index) => pod(`p-${index}`, `w${index % 100}`));
  const { forest, change } = planted(...Array.from({ length: 100 }, (_, index) => node(`w${index}`)), ...many);
  forest.lay();
  const sort = Array.prototype.sort;
  let sorted = 0;
  Array.prototype.sort = function (...rest) {
    if (this.length > 100) sorted++;
    return sort.apply(this, rest);
  };
  const groups = [...forest.groups].map(([key, group]) => [key, [...group.children]]);
  change("Pod/default/p-5", { ...many[5][1], node: "w7" });
  forest.lay();
  Array.prototype.sort = sort;
  assert.equal(sorted, 0);
  assert.deepEqual(groups.filter(([key, children]) => children.length !== forest.groups.get(key).children.length).map(([key]) => key).sort(), ["Node//w5", "Node//w7"]);
});

test("what belongs to no group stands nowhere", () => {
  assert.equal(groupOf("ReplicaSet/default/a", { kind: "ReplicaSet", name: "a", owner: "Deployment/default/a" }), "");
  assert.equal(groupOf("x", undefined), "");
});

test("much news at once is told in counts by state", () => {
  const news = new Map(Array.from({ length: 8 }, (_, index) => [`Pod/default/p${index}`, { before: undefined, after: index < 5 ? { kind: "Pod", name: "p", status: "ImagePullBackOff" } : undefined, text: "one" }]));
  const told = tell(news);
  assert.equal(told, "say.pods. say.podsGone");
});
