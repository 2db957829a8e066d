import assert from "node:assert/strict";
import { test } from "node:test";
import { insist, once } from "../../static/js/lazy.js";

const away = () => Promise.reject(new TypeError("Failed to fetch dynamically imported module: /x.js"));

test("a server that is away for long is asked less and less often, and what it brings at last is there", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  let tries = 0;
  let back = false;
  const loaded = insist(async () => (tries++, back ? "here" : away()));
  /** @type {number[]} */
  const asked = [];
  for (let second = 0; second < 300; second++) {
    const before = tries;
    context.mock.timers.tick(1000);
    for (let turn = 0; turn < 10; turn++) await null;
    if (tries > before) asked.push(second);
  }
  const waits = asked.slice(1).map((second, i) => second - asked[i]);
  assert.deepEqual(waits.slice(0, 5), [2, 4, 8, 16, 30]);
  assert.ok(asked.length < 16, `${asked.length} tries`);
  back = true;
  context.mock.timers.tick(30_000);
  assert.equal(await loaded, "here");
});

test("a module that is broken is not asked for again", async () => {
  let tries = 0;
  await assert.rejects(insist(async () => (tries++, Promise.reject(new ReferenceError("x is not defined")))), ReferenceError);
  assert.equal(tries, 1);
});

test("what went wrong once is loaded when it is wanted again, and then only once", async () => {
  let tries = 0;
  const load = once(async () => (++tries === 1 ? away() : tries));
  await assert.rejects(load());
  assert.deepEqual([await load(), await load()], [2, 2]);
});
