import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { along, inside, places, sums, toDoor, toWatcher, ways } from "../../static/js/replay/places.js";
import { actors, DOORS, fanOut, label, MOST_ACTORS, said, script, sentence } from "../../static/js/replay/script.js";
import { shown } from "../../static/js/replay/shown.js";

const words = Object.fromEntries(["en", "ko"].map((name) => [name, JSON.parse(readFileSync(new URL(`../../static/locales/${name}.json`, import.meta.url), "utf8"))]));
const knows = (key) => key in words.en;

/** A step as the server tells it. */
function step(revision, lane, method, plural, more = {}) {
  return {
    revision, at: revision / 100, client: lane === "people" ? "kubectl" : lane.split("/")[0], user: "u", method, path: `/api/v1/${plural}`, verb: { POST: "create", PUT: "update", PATCH: "patch", DELETE: "delete", GET: "list" }[method],
    subresource: "", plural, kind: "Pod", name: `n${revision}`, thing: "", event: method === "POST" ? "ADDED" : "MODIFIED", because: null, lane, minor: false, changed: [], changes: 0,
    stages: [["authentication", "key"], ["authorization", "admin"], ["admission", "filled"], ["validation", "passed"], ["etcd", "ADDED"]].map(([stage, code]) => ({ stage, code })).concat([{ stage: "watch", code: "ADDED", watchers: ["kube-scheduler", "x"], reacted: more.reacted ?? [] }]), ...more,
  };
}
const STORY = [
  step(1, "people", "POST", "deployments", { reacted: [{ lane: "deployment-controller", revision: 2 }] }), step(2, "deployment-controller", "POST", "replicasets"),
  step(3, "deployment-controller", "POST", "events", { minor: true }), step(4, "kube-scheduler", "POST", "pods", { subresource: "binding", scheduling: { node: "w1", scores: [{ node: "w1", total: 9, plugins: {} }], refused: [], passed: 1, rejected: 0, tried: 1 } }),
];

test("the first request passes each door by itself and the others go through all of them at once", () => {
  const messages = script(STORY, false, false);
  assert.deepEqual(messages.filter((one) => one.step === 0).map((one) => one.kind), ["send", ...DOORS, "etcd", "answer", "watch"]);
  assert.deepEqual(messages.filter((one) => one.step === 1).map((one) => one.kind), ["request"]);
  assert.deepEqual(messages.filter((one) => one.step === 3).map((one) => one.kind), ["schedule", "request"]);
  assert.ok(script(STORY, true, false).filter((one) => one.step === 1).length > 5);
});

test("Events are left out unless they are asked for", () => {
  assert.ok(!script(STORY, false, false).some((one) => one.step === 2));
  assert.ok(script(STORY, false, true).some((one) => one.step === 2));
});

test("a refused request ends at its door and a read at the watch cache", () => {
  const refused = step(9, "people", "POST", "pods", { refused: true, stages: [{ stage: "authentication", code: "key" }, { stage: "authorization", code: "refused", status: 403, reason: "Forbidden", message: "no" }] });
  assert.deepEqual(script([refused], false, false).map((one) => one.kind), ["send", "authentication", "refused"]);
  const read = step(9, "people", "GET", "pods", { read: true, stages: [{ stage: "authentication", code: "key" }, { stage: "authorization", code: "admin" }, { stage: "cache", code: "read" }, { stage: "answer", code: 200 }] });
  const messages = script([read], false, false);
  assert.deepEqual(messages.map((one) => one.kind), ["send", "authentication", "authorization", "cache", "answer"]);
  assert.deepEqual(shown([read], messages, 3, 1, [], 1000, 500, () => true).doors, ["passed", "passed", "skipped", "skipped"]);
  const shut = script([refused], false, false);
  assert.deepEqual(shown([refused], shut, 2, 1, [], 1000, 500, () => true).doors, ["passed", "refused", "", ""]);
});

test("of too many actors those who do least stand together and kubelets stand in the order of their nodes", () => {
  const many = Array.from({ length: 30 }, (_, i) => step(i, `kubelet/w${30 - i}`, "PUT", "pods"));
  const names = actors(many, false);
  assert.equal(names.length, MOST_ACTORS);
  assert.equal(names.at(-1), "others");
  assert.deepEqual(actors(many.slice(0, 3), false), ["kubelet/w28", "kubelet/w29", "kubelet/w30"]);
  assert.ok(fanOut({ watchers: [], reacted: [{ lane: "kubelet/w1", revision: 1 }] }, names).acts.has("others"));
});

test("every sentence of the story has words in both languages", () => {
  for (const message of script(STORY, true, true)) {
    const told = said(message, STORY[message.step], knows);
    for (const language of ["en", "ko"]) assert.ok(told.key in words[language], told.key);
    assert.ok(label(message, STORY[message.step]));
  }
  assert.equal(sentence(STORY[1], knows).key, "replay.do.deployment-controller.create.replicasets");
  assert.equal(sentence(step(5, "people", "PATCH", "deployments", { changed: [{ path: "spec.replicas", from: 1, to: 3 }] }), knows).key, "replay.do.scale");
  assert.equal(sentence(step(5, "nobody-known", "PUT", "things"), knows).key, "replay.do.update");
});

test("whatever the server tells of a door has words", () => {
  const python = readFileSync(new URL("../../server/live/passage.py", import.meta.url), "utf8");
  const told = [...python.matchAll(/"stage": "(\w+)", "code": ([^,}\n]+)/g)].flatMap(([, stage, code]) => [...code.matchAll(/"(\w+)"/g)].map((found) => `replay.say.${stage}.${found[1]}`));
  assert.ok(told.length >= 7);
  const codes = [...python.matchAll(/code = (.+)/g)].flatMap(([, code]) => [...code.matchAll(/"(\w+)"/g)].map((found) => found[1]));
  for (const code of codes) assert.ok(["authentication", "authorization"].some((stage) => `replay.say.${stage}.${code}` in words.en), code);
  for (const key of told.filter((one) => !one.endsWith(".refused"))) assert.ok(key in words.en || key.replace(/\.\w+$/, "") in words.en || key.endsWith("etcd.passed"), key);
});

test("everything that stands has a place of its own inside the picture, at a laptop's and at a projector's size", () => {
  for (const [w, h] of [[640, 290], [950, 330], [1170, 480], [1900, 900]]) {
    const p = places(w, h, Array.from({ length: MOST_ACTORS }, (_, i) => `a${i}`));
    const boxes = [p.people, p.api, p.etcd, ...p.actors.values()];
    for (const box of boxes) assert.ok(box.x >= 0 && box.y >= 0 && box.x + box.w <= w && box.y + box.h <= h && box.w > 0 && box.h > 0, `${w}x${h}`);
    boxes.forEach((a, i) => boxes.slice(i + 1).forEach((b) => assert.ok(a.x + a.w <= b.x || b.x + b.w <= a.x || a.y + a.h <= b.y || b.y + b.h <= a.y, `${w}x${h}`)));
    for (const door of [...p.doors, p.cache]) assert.ok(inside(p.api, door) && inside(p.api, { x: door.x + door.w, y: door.y + door.h }));
  }
});

test("a message's way begins where the one before ended", () => {
  const names = actors(STORY, false);
  const p = places(1170, 480, names);
  const messages = script(STORY, false, false).filter((one) => one.step === 0 && one.kind !== "answer" && one.kind !== "watch");
  let end = null;
  for (const message of messages) {
    const [{ points }] = ways(p, message, STORY[0], "people");
    if (end) assert.deepEqual(points[0], end, message.kind);
    end = points.at(-1);
  }
  assert.equal(end.x, p.etcd.x);
  assert.equal(toWatcher(p, names[0]).at(-1).y, p.actors.get(names[0]).y);
  assert.equal(toDoor(p, names[0])[0].y, p.actors.get(names[0]).y);
  const line = [{ x: 0, y: 0 }, { x: 10, y: 0 }, { x: 10, y: 10 }];
  assert.deepEqual(along(line, 0.75), { x: 10, y: 5 });
  assert.deepEqual(sums(line), [0, 10, 20]);
});

test("etcd's log grows when a message has arrived, and only then", () => {
  const messages = script(STORY, false, false);
  const names = actors(STORY, false);
  const etcd = messages.findIndex((one) => one.kind === "etcd");
  const at = (index, part) => shown(STORY, messages, index, part, names, 1000, 500, () => true);
  assert.equal(at(etcd, 0.5).log.length, 0);
  assert.deepEqual(at(etcd, 1).log.map((one) => one.revision), [1]);
  assert.deepEqual(at(messages.length - 1, 1).log.map((one) => one.revision), [1, 2, 4]);
  assert.deepEqual(at(etcd - 1, 1).doors, ["passed", "passed", "passed", "passed"]);
  assert.deepEqual([...at(messages.findIndex((one) => one.kind === "watch"), 1).here], ["deployment-controller"]);
});
