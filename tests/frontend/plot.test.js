/** Small plots: what is drawn to scale, how figures are written, and how much of the past is kept. */
import assert from "node:assert/strict";
import { test } from "node:test";
globalThis.document ??= { documentElement: {}, hidden: false };
globalThis.localStorage ??= { getItem: () => null };
const { ceiling, figure, scale } = await import("../../static/js/inspector/plot.js");
const { Histories } = await import("../../static/js/inspector/metrics.js");

test("figures are written in their unit", () => {
  assert.deepEqual([figure(1.63, "millicores"), figure(2000, "millicores"), figure(3.5 * 2 ** 20, "bytes"), figure(12.345, "per second"), figure(4.25, "milliseconds"), figure(50, "percent")], ["1.6m", "2", "3.5Mi", "12.3/s", "4.25 ms", "50%"]);
});

test("an axis ends at a round number that is not less", () => {
  assert.deepEqual([ceiling(1.7, "millicores"), ceiling(47, "per second"), ceiling(0, "count"), ceiling(0.4, "count")], [2, 50, 1, 1]);
  assert.equal(ceiling(3 * 2 ** 20, "bytes"), 4 * 2 ** 20);
});

test("a bound far above what is used is told but does not flatten the plot", () => {
  const samples = [{ at: 1, values: { used: 2 } }];
  const { top, near } = scale(samples, { request: 10, limit: 500 }, "millicores");
  assert.deepEqual([[...near], top], [["request"], 10]);
  assert.ok(scale(samples, { most: 100 }, "count").near.has("most"));
});

test("what the simulation knows of the time before comes before the first sample, once", () => {
  const histories = new Histories();
  const told = (time, used, past) => ({ time, past, plots: [{ key: "cpu", unit: "millicores", values: { used }, lines: {} }] });
  histories.add("a", told(12, 3, [[5, 1], [10, 2]]));
  histories.add("a", told(13, 4, [[5, 1], [10, 2]]));
  assert.deepEqual(histories.of("a").samples.get("cpu").map((one) => [one.at, one.values.used]), [[5, 1], [10, 2], [12, 3], [13, 4]]);
});

test("a clock that was set back forgets what came after", () => {
  const histories = new Histories();
  const told = (time) => ({ time, plots: [{ key: "memory", unit: "bytes", values: { used: time }, lines: {} }] });
  for (const time of [10, 20, 30, 15]) histories.add("a", told(time));
  assert.deepEqual(histories.of("a").samples.get("memory").map((one) => one.at), [10, 15]);
});

test("histories are bounded in length and number", () => {
  const histories = new Histories();
  for (let time = 0; time < 2000; time++) histories.add("a", { time, plots: [{ key: "x", unit: "count", values: { ready: 1 }, lines: {} }] });
  assert.equal(histories.of("a").samples.get("x").length, 900);
  for (let index = 0; index < 40; index++) histories.of(`thing-${index}`);
  assert.equal(histories.all.size, 16);
});
