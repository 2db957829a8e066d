import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualTime } from "../../static/js/virtualtime.js";

test("time runs at the room's speed between messages and stands while paused", () => {
  let wall = 0;
  const time = new VirtualTime(() => wall);
  time.hear(100, { paused: false, speed: 10 });
  wall = 500;
  assert.equal(time.now, 105);
  time.hear(105, { paused: true, speed: 10 });
  wall = 9000;
  assert.equal(time.now, 105);
});

test("a late message does not turn time back, a snapshot may", () => {
  let wall = 0;
  const time = new VirtualTime(() => wall);
  time.hear(10, { paused: false, speed: 1 });
  wall = 1000;
  assert.equal(time.now, 11);
  time.hear(10.5);
  assert.equal(time.now, 11);
  time.reset(3);
  assert.equal(time.now, 3);
});

test("while nothing is heard time stands, and goes on from there until it is told", () => {
  let wall = 0;
  const time = new VirtualTime(() => wall);
  time.hear(10, { paused: false, speed: 10 });
  wall = 1000;
  time.listen(true);
  wall = 60000;
  assert.equal(time.now, 20);
  time.reset(5, { paused: false, speed: 1 });
  assert.equal(time.now, 5);
  time.listen(false);
  wall = 61000;
  assert.equal(time.now, 6);
  time.hear(700);
  assert.equal(time.now, 700);
});
