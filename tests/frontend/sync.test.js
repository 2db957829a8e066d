import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { Scene } from "../../static/js/scene.js";
import { Sync } from "../../static/js/sync.js";
import { VirtualTime } from "../../static/js/virtualtime.js";

/** A small deterministic random: the same seed, the same story. */
function random(seed) {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const copy = (value) => JSON.parse(JSON.stringify(value));

/** Changes made up: pods of a few owners, Services, nodes that come and go. */
function madeUp(seed) {
  const chance = random(seed);
  let things = {};
  return () => {
    const before = things;
    things = { ...things };
    for (let i = chance(6); i >= 0; i--) {
      const kind = ["Pod", "Pod", "Pod", "Service", "Node"][chance(5)];
      const id = `${kind}/default/${kind}${chance(9)}`;
      if (things[id] && chance(3) === 0) delete things[id];
      else things[id] = { kind, name: id, restarts: chance(4), labels: { app: `a${chance(3)}` }, ...(kind === "Pod" && chance(2) ? { owner: `ReplicaSet/default/r${chance(3)}` } : {}) };
    }
    return { things, ops: opsBetween(before, things) };
  };
}

function opsBetween(before, things) {
  const ops = Object.keys(before).filter((id) => !(id in things)).map((id) => ["del", id]);
  return [...ops, ...Object.entries(things).filter(([id, thing]) => JSON.stringify(before[id]) !== JSON.stringify(thing)).map(([id, thing]) => ["set", id, thing])];
}

/** What really happened in a room, told by the server's own scene (recorded_scene.py); told over and over by as many instances as are asked for. */
function recorded(story) {
  let at = 0, things = {};
  return () => {
    const diff = story[at++ % story.length];
    if (at > 1 && (at - 1) % story.length === 0) {
      const before = things;
      things = {};
      return { things, ops: opsBetween(before, things) };
    }
    things = { ...things };
    for (const [op, id, record] of diff.ops) op === "set" ? (things[id] = record) : delete things[id];
    return { things, ops: diff.ops };
  };
}

/** The server's half of hub.py: one scene told in diffs to all, a snapshot to who joins with another revision or asks for it, and kept revisions. */
class Server {
  constructor(change) {
    this.change = change;
    this.things = {};
    this.kept = [];
    this.instance = 0;
    this.revision = 0;
    this.store = 0;
    this.time = 0;
    this.clock = { paused: false, speed: 1 };
    this.send = null;
  }

  step() {
    const { things, ops } = this.change();
    this.things = things;
    this.time += 0.5;
    this.kept[++this.store] = { time: this.time, things };
    if (!ops.length) return;
    const from = this.revision++;
    this.send?.("diff", copy({ scene: `i${this.instance}`, from, to: this.revision, time: this.time, ops, signals: [{ type: "request", at: this.time, revision: this.store }] }));
  }

  /** Another telling of the same cluster: revisions count anew. */
  anew() {
    this.instance++;
    this.revision = 0;
  }

  hear(event, data) {
    if (event === "resync" || data.since !== this.revision || data.scene !== `i${this.instance}`) this.send?.("snapshot", copy(this.snapshot()));
    if (event === "join") this.send?.("clock", { ...this.clock, time: this.time });
    return { scene: `i${this.instance}`, revision: this.revision };
  }

  snapshot() {
    return { scene: `i${this.instance}`, revision: this.revision, storeRevision: this.store, time: this.time, epoch: "e", things: this.things, clock: this.clock };
  }

  at(revision) {
    const { time, things } = this.kept[revision];
    return copy({ scene: "", revision: 0, storeRevision: revision, time, epoch: "e", things, clock: { paused: true, speed: 1 }, past: { revision, time } });
  }
}

/** The page's half, on a wire that may do anything, with a wall clock of its own. */
class Page {
  constructor(server) {
    this.server = server;
    this.wall = 0;
    this.timers = new Set();
    this.inbox = [];
    this.outbox = [];
    this.scene = new Scene();
    this.time = new VirtualTime(() => this.wall);
    this.told = [];
    this.mirror = new Map();
    this.scene.listen((update) => {
      for (const { id, before, after } of update.changes) {
        assert.deepEqual(this.mirror.get(id), before, "what a listener is told was, was");
        if (after) this.mirror.set(id, after);
        else this.mirror.delete(id);
      }
    });
    this.sync = new Sync(this.scene, this.time, {
      send: (event, data) => this.outbox.push([event, data]),
      later: (run, wait) => {
        const timer = { run, due: this.wall + wait };
        this.timers.add(timer);
        return () => this.timers.delete(timer);
      },
      tell: (...told) => this.told.push(told),
    });
  }

  connect() {
    this.server.send = (event, data) => this.inbox.push([event, data]);
    this.sync.connect();
  }

  cut() {
    this.server.send = null;
    this.inbox.length = this.outbox.length = 0;
    this.sync.disconnect();
  }

  pass(milliseconds) {
    this.wall += milliseconds;
    for (const timer of [...this.timers]) if (timer.due <= this.wall && this.timers.delete(timer)) timer.run();
  }

  /** One message, from any place of the queue. */
  deliver(index = 0) {
    const [message] = this.inbox.splice(index, 1);
    if (message) this.take(message);
  }

  take([event, data]) {
    const { sync } = this;
    ({ diff: () => sync.diff(data), snapshot: () => sync.snapshot(data), clock: () => sync.tick(data), joined: () => sync.joined(data) })[event]();
  }

  /** What the page asked reaches the server. */
  asked() {
    const [event, data] = this.outbox.shift() ?? [];
    if (!event) return;
    const told = this.server.hear(event, data);
    if (event === "join") this.inbox.push(["joined", told]);
  }

  settle() {
    for (let i = 0; i < 200 && (this.inbox.length || this.outbox.length || this.timers.size); i++) {
      this.asked();
      this.deliver();
      if (!this.inbox.length && !this.outbox.length && this.timers.size) this.pass(40000);
    }
  }
}

/** Whether a scene is these things, indexes and all. */
function holds(scene, things, why) {
  assert.deepEqual(Object.fromEntries(scene.things), things, why);
  const kinds = {}, owned = {};
  for (const [id, thing] of Object.entries(things)) {
    (kinds[thing.kind] ??= []).push(id);
    if (thing.owner) (owned[thing.owner] ??= []).push(id);
  }
  const plain = (groups) => Object.fromEntries([...groups].map(([key, ids]) => [key, [...ids].sort()]));
  const sorted = (groups) => Object.fromEntries(Object.entries(groups).map(([key, ids]) => [key, ids.sort()]));
  assert.deepEqual(plain(scene.kinds), sorted(kinds), why);
  assert.deepEqual(plain(scene.owned), sorted(owned), why);
}

/** Anything that can happen, so often, and then quiet: one more change and a connection that holds. */
function story(server, seed, steps) {
  const chance = random(seed * 7919 + 1);
  const page = new Page(server);
  const count = {};
  let connected = false, seen = { instance: "", revision: -1 };
  const did = (what) => (count[what] = (count[what] ?? 0) + 1);
  const acts = {
    step: () => server.step(),
    deliver: () => page.deliver(),
    asked: () => page.asked(),
    drop: () => page.inbox.shift(),
    lost: () => page.outbox.shift(),
    twice: () => page.inbox[0] && page.inbox.push(page.inbox[0]),
    reorder: () => page.deliver(chance(Math.max(1, page.inbox.length))),
    pass: () => page.pass(chance(5000)),
    clock: () => ((server.clock = { paused: !chance(3), speed: [0.1, 1, 100][chance(3)] }), server.send?.("clock", { ...server.clock, time: server.time })),
    connect: () => !connected && (page.connect(), (connected = true)),
    cut: () => connected && (page.cut(), (connected = false)),
    anew: () => server.anew(),
    look: () => {
      if (!server.store) return;
      const revision = 1 + chance(server.store);
      page.sync.look(revision, server.at(revision));
    },
    now: () => page.sync.return(),
  };
  const likely = ["step", "step", "step", "deliver", "deliver", "deliver", "deliver", "asked", "asked", "connect", "pass", "reorder", "twice", "drop", ...(chance(2) ? ["look", "now"] : []), ...(chance(3) ? ["cut", "lost", "clock", "anew"] : [])];
  for (let i = 0; i < steps; i++) {
    const act = chance(40) ? likely[chance(likely.length)] : Object.keys(acts)[chance(Object.keys(acts).length)];
    did(act);
    acts[act]();
    const { sync, scene } = page;
    if (sync.past !== null) {
      holds(scene, server.kept[sync.past].things, `looks at ${sync.past}`);
      assert.equal(page.time.now, server.kept[sync.past].time);
      assert.equal(scene.storeRevision, sync.past);
    }
    const { present } = sync;
    if (present.instance === seen.instance && act !== "now") assert.ok(present.revision >= seen.revision, `goes back from ${seen.revision} to ${present.revision} after ${act}`);
    seen = { instance: present.instance, revision: present.revision };
    if (present.instance === `i${server.instance}` && present.revision === server.revision) holds(present, server.things, `at the server's revision after ${act}`);
    assert.deepEqual(page.mirror, scene.things);
  }
  if (!connected) page.connect();
  page.settle();
  server.step();
  page.settle();
  server.step();
  page.settle();
  holds(page.sync.present, server.things, "quiet again");
  page.sync.return();
  holds(page.scene, server.things, "now");
  assert.deepEqual(page.mirror, page.scene.things);
  assert.deepEqual([page.scene.instance, page.scene.revision, page.sync.waiting], [`i${server.instance}`, server.revision, null]);
  return count;
}

test("after any sequence of diffs, drops, doubles, reorders, reconnects, new instances and looks at the past, the page's scene is the server's", () => {
  const all = {};
  for (let seed = 1; seed <= 400; seed++) {
    try {
      for (const [act, count] of Object.entries(story(new Server(madeUp(seed)), seed, 40 + (seed % 5) * 60))) all[act] = (all[act] ?? 0) + count;
    } catch (error) {
      error.message = `seed ${seed}: ${error.message}`;
      throw error;
    }
  }
  for (const act of ["step", "deliver", "drop", "twice", "reorder", "cut", "anew", "look", "now", "lost"]) assert.ok(all[act] > 200, `${act} happened only ${all[act]} times`);
});

const RECORDING = process.env.PODIUM_RECORDED ?? "";
test("the same holds for what the server's own scene tells of a room", { skip: !existsSync(RECORDING) }, () => {
  const stories = JSON.parse(readFileSync(RECORDING, "utf8"));
  assert.ok(stories.length >= 3);
  for (const [index, { diffs, things }] of stories.entries()) {
    const server = new Server(recorded(diffs));
    for (const _ of diffs) server.step();
    assert.deepEqual(server.things, things, "the diffs from the first on make the server's scene");
    for (let seed = 1; seed <= 12; seed++) story(new Server(recorded(diffs)), seed + 1000 * index, 150);
  }
});

test("an answer that is lost is asked for again, with more and more patience", () => {
  const server = new Server(madeUp(3));
  const page = new Page(server);
  server.step();
  page.connect();
  const asked = [];
  for (let i = 0; i < 400; i++) {
    if (page.outbox.length) asked.push([page.wall / 1000, page.outbox.shift()[0]]);
    page.pass(100);
  }
  assert.deepEqual(asked, [[0, "join"], [2, "resync"], [6, "resync"], [14, "resync"], [30, "resync"]]);
  page.sync.snapshot(copy(server.snapshot()));
  holds(page.scene, server.things, "it came at last");
  page.pass(100000);
  assert.equal(page.outbox.length, 0);
});

test("the way back from the past needs nothing of the server, and what happened meanwhile is there", () => {
  const server = new Server(madeUp(5));
  const page = new Page(server);
  for (let i = 0; i < 8; i++) server.step();
  page.connect();
  page.settle();
  page.sync.look(2, server.at(2));
  for (let i = 0; i < 5; i++) server.step();
  page.settle();
  holds(page.scene, server.kept[2].things, "the past stands still");
  page.cut();
  page.sync.return();
  holds(page.scene, server.things, "now");
  assert.equal(page.time.heard, server.time);
});

test("what the clock says while the past is looked at is known at the return", () => {
  const server = new Server(madeUp(5));
  const page = new Page(server);
  server.step();
  page.connect();
  page.settle();
  page.sync.look(1, server.at(1));
  page.sync.tick({ paused: false, speed: 10, time: 50 });
  page.wall += 1000;
  assert.deepEqual([page.time.now, page.time.paused, page.sync.clock.now], [0.5, true, 60]);
  page.sync.return();
  assert.deepEqual([page.time.now, page.time.speed, page.time.paused], [60, 10, false]);
});

test("from one kept revision to the next only what differs is told, and a whole new picture when most does", () => {
  const scene = new Scene();
  const told = [];
  scene.listen((update) => told.push([update.whole, update.changes.map((change) => change.id)]));
  const pods = (count, restarts) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`Pod/a/p${i}`, { kind: "Pod", name: `p${i}`, restarts: i === 1 ? restarts : 0, labels: { app: "x" } }]));
  scene.load({ revision: 0, time: 0, things: pods(3, 0) });
  const first = scene.get("Pod/a/p0");
  scene.turn({ revision: 0, time: 1, things: pods(2, 1) });
  assert.equal(scene.get("Pod/a/p0"), first);
  scene.turn({ revision: 0, time: 2, things: pods(5000, 1) });
  assert.deepEqual([told[1], told[2][0]], [[false, ["Pod/a/p2", "Pod/a/p1"]], true]);
});

test("a diff of another instance is a gap even if its numbers fit", () => {
  const scene = new Scene();
  scene.load({ revision: 4, time: 0, scene: "a", things: {} });
  assert.equal(scene.apply({ scene: "b", from: 4, to: 5, time: 1, ops: [["set", "Pod/a/b", { kind: "Pod", name: "b" }]] }), "gap");
  assert.equal(scene.things.size, 0);
});
