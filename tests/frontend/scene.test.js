import assert from "node:assert/strict";
import { test } from "node:test";
import { matches, parseId, Scene } from "../../static/js/scene.js";

/** A small deterministic random: the same seed, the same story. */
function random(seed) {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** A server that changes things at random and tells it in diffs. */
class Server {
  constructor(seed) {
    this.random = random(seed);
    this.things = {};
    this.revision = 0;
    this.diffs = [];
  }

  step() {
    const ops = [];
    for (let i = this.random(5); i >= 0; i--) {
      const id = `Pod/default/p${this.random(12)}`;
      if (this.things[id] && this.random(3) === 0) {
        delete this.things[id];
        ops.push(["del", id]);
      } else {
        const record = { kind: "Pod", name: id, restarts: this.random(1000) };
        this.things[id] = record;
        ops.push(["set", id, record]);
      }
    }
    this.diffs.push({ from: this.revision, to: ++this.revision, time: this.revision, ops });
  }

  snapshot() {
    return { revision: this.revision, time: this.revision, things: { ...this.things } };
  }
}

for (let seed = 1; seed <= 200; seed++) {
  test(`a wire that loses and doubles messages still ends at the server's scene, seed ${seed}`, () => {
    const server = new Server(seed);
    const chance = random(seed * 7919);
    const scene = new Scene();
    const mirror = new Map();
    scene.listen((update) => {
      for (const { id, before, after } of update.changes) {
        assert.deepEqual(mirror.get(id), before);
        if (after) mirror.set(id, after);
        else mirror.delete(id);
      }
    });
    scene.load(server.snapshot());
    for (let i = 0; i < 60; i++) {
      server.step();
      const fate = chance(10);
      const diff = server.diffs.at(-1);
      if (fate === 0) continue;
      const result = scene.apply(diff);
      if (result === "gap") scene.load(server.snapshot());
      if (fate === 1) assert.equal(scene.apply(diff), "old");
      if (fate === 2) assert.equal(scene.apply(server.diffs[chance(server.diffs.length)]), "old");
      assert.deepEqual(Object.fromEntries(scene.things), server.things);
      assert.equal(scene.revision, server.revision);
    }
    if (scene.revision !== server.revision) scene.load(server.snapshot());
    assert.deepEqual(Object.fromEntries(scene.things), server.things);
    assert.deepEqual(mirror, scene.things);
  });
}

test("nothing is applied before the first snapshot", () => {
  const scene = new Scene();
  assert.equal(scene.apply({ from: 0, to: 1, time: 0, ops: [["set", "Pod/a/b", {}]] }), "gap");
  assert.equal(scene.things.size, 0);
});

test("a thing set twice in one diff is told once, from what it was to what it is", () => {
  const scene = new Scene();
  scene.load({ revision: 4, time: 0, things: { "Pod/a/b": { n: 1 } } });
  const told = [];
  scene.listen((update) => told.push(...update.changes));
  scene.apply({ from: 4, to: 5, time: 1, ops: [["set", "Pod/a/b", { n: 2 }], ["del", "Pod/a/b"], ["set", "Pod/a/b", { n: 3 }]] });
  assert.deepEqual(told, [{ id: "Pod/a/b", before: { n: 1 }, after: { n: 3 } }]);
});

test("an empty selector selects nothing and a name may hold slashes", () => {
  assert.equal(matches({}, { app: "a" }), false);
  assert.equal(matches({ app: "a" }, { app: "a", x: "y" }), true);
  assert.equal(matches({ app: "a", tier: "b" }, { app: "a" }), false);
  assert.deepEqual(parseId("Event/ns/a/b"), { kind: "Event", ns: "ns", name: "a/b" });
});

test("what a thing owns, and all of a kind, are known through sets, moves and deletions", () => {
  const scene = new Scene();
  const pod = (owner) => ({ kind: "Pod", name: "p", ...(owner ? { owner } : {}) });
  scene.load({ revision: 0, time: 0, things: { "Pod/a/p": pod("Job/a/j"), "Job/a/j": { kind: "Job", name: "j", owner: "CronJob/a/c" } } });
  const owned = (owner) => scene.ownedBy(owner, "Pod").map(([id]) => id);
  assert.deepEqual([owned("Job/a/j"), scene.ownedBy("CronJob/a/c", "Pod"), scene.ofKind("Pod").length], [["Pod/a/p"], [], 1]);
  scene.apply({ from: 0, to: 1, time: 1, ops: [["set", "Pod/a/p", pod("Job/a/k")], ["set", "Pod/a/q", pod()]] });
  assert.deepEqual([owned("Job/a/j"), owned("Job/a/k"), scene.ofKind("Pod").length], [[], ["Pod/a/p"], 2]);
  scene.apply({ from: 1, to: 2, time: 2, ops: [["del", "Pod/a/p"], ["del", "Job/a/j"]] });
  assert.deepEqual([owned("Job/a/k"), scene.ofKind("Job"), scene.owned.size], [[], [], 0]);
});
