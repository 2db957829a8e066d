import assert from "node:assert/strict";
import test from "node:test";

globalThis.document ??= /** @type {any} */ ({ documentElement: { dataset: {} } });
globalThis.localStorage ??= /** @type {any} */ ({ getItem: () => null });
globalThis.matchMedia ??= /** @type {any} */ (() => ({ matches: false, addEventListener() {} }));
const { notchOf, rateAt } = await import("../../static/js/traffic.js");

test("the rate slider is logarithmic: from none by one to ten thousand, each notch more than the last", () => {
  const rates = Array.from({ length: 41 }, (_, notch) => rateAt(notch));
  assert.deepEqual([rates[0], rates[1], rates[40]], [0, 1, 10_000]);
  rates.forEach((rate, notch) => notch && assert.ok(rate >= rates[notch - 1]));
  assert.ok(rates[20] < 150, "half way is not half of it");
});

test("a rate's notch is the nearest one, and stays in the slider", () => {
  for (const rate of [0, 1, 20, 100, 1000, 10_000]) assert.ok(Math.abs(rateAt(notchOf(rate)) - rate) <= rate * 0.15, `${rate}`);
  assert.equal(notchOf(10_000_000), 40);
});
