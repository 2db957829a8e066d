import assert from "node:assert/strict";
import { test } from "node:test";
import { Chronicle, ticks } from "../../static/js/chronicle.js";
import { clockTime } from "../../static/js/virtualtime.js";

const mark = (revision, time, kind = "act", thing = `Pod/a/p${revision}`) => ({ revision, time, kind, client: "kubectl", verb: "create", thing });
const answer = (more = {}) => ({ first: 100, last: 140, firstTime: 0, time: 200, marks: [mark(101, 2), mark(120, 50.5), mark(139, 150)], density: [[2, 10], [50, 20], [150, 10]], ...more });

function heard(...answers) {
  const chronicle = new Chronicle();
  answers.forEach(([given, since]) => chronicle.hear(given, since));
  return chronicle;
}

test("at the moment of a mark its revision is the newest, and a revision is of the moment of its mark", () => {
  const chronicle = heard([answer()]);
  for (const { revision, time } of chronicle.marks) {
    assert.equal(chronicle.revisionAt(time), revision);
    assert.equal(chronicle.timeOf(revision), time);
  }
});

test("where nothing is written the revision stays, and later is never an older one", () => {
  const chronicle = heard([answer()]);
  assert.deepEqual([chronicle.revisionAt(10), chronicle.revisionAt(49), chronicle.revisionAt(-5), chronicle.revisionAt(1000)], [110, 110, 100, 140]);
  let last = 0;
  for (let time = 0; time <= 200; time += 0.25) {
    const revision = chronicle.revisionAt(time);
    assert.ok(revision >= last && revision >= 100 && revision <= 140, `${revision} at ${time}`);
    last = revision;
  }
});

test("what is newer is added to what is known, what is compacted away is forgotten, and nothing is there twice", () => {
  const chronicle = heard([answer()], [answer({ first: 110, firstTime: 3, last: 150, time: 220, marks: [mark(139, 150), mark(145, 210), mark(145, 210, "warning")] }), 140]);
  assert.deepEqual(chronicle.marks.map((one) => [one.revision, one.kind]), [[120, "act"], [139, "act"], [145, "act"], [145, "warning"]]);
  assert.deepEqual([chronicle.first, chronicle.last, chronicle.since], [110, 150, 150]);
});

test("history that went back, as after a restart from a checkpoint, is taken as it is", () => {
  const chronicle = heard([answer()], [answer({ last: 120, time: 60, marks: [] }), 140]);
  assert.deepEqual([chronicle.last, chronicle.marks], [120, []]);
});

test("the next and the previous mark of a revision, and the marks about a moment", () => {
  const chronicle = heard([answer()]);
  assert.deepEqual([chronicle.next(120)?.revision, chronicle.previous(120)?.revision, chronicle.next(139), chronicle.previous(101)], [139, 101, undefined, undefined]);
  assert.deepEqual(chronicle.near(60, 60).map((one) => one.revision), [120, 101]);
  assert.equal(chronicle.writes(40, 60), 20);
});

test("an axis is written at round moments that are far enough apart", () => {
  assert.deepEqual(ticks(0, 60, 600, 100), [0, 10, 20, 30, 40, 50, 60]);
  assert.deepEqual(ticks(3.4, 5, 160, 40), [3.5, 4, 4.5, 5]);
  assert.ok(ticks(0, 86400 * 30, 1000, 100).length <= 11);
});

test("a moment is written as a clock shows it", () => {
  assert.deepEqual([clockTime(0), clockTime(72.99), clockTime(72.99, true), clockTime(59.96, true), clockTime(90061), clockTime(-3)], ["00:00:00", "00:01:12", "00:01:12.9", "00:00:59.9", "1d 01:01:01", "−00:00:03"]);
});
