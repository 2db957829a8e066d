import assert from "node:assert/strict";
import { test } from "node:test";
import { Actions, nameOf, shown } from "../../static/js/actions.js";
import { nearest } from "../../static/js/canvas/travel.js";
import { ranked, score } from "../../static/js/palette.js";
import { read, written } from "../../static/js/viewurl.js";

/** @param {string} key @param {any} [more] */
const key = (key, more = {}) => /** @type {any} */ ({ key, code: "", shiftKey: false, ctrlKey: false, metaKey: false, altKey: false, preventDefault() {}, target: { closest: () => null, ...more.target }, ...more, });

test("a key is called alike whatever the layout or the case", () => {
  assert.equal(nameOf(key("p")), "p");
  assert.equal(nameOf(key("P")), "p");
  assert.equal(nameOf(key("ㅔ", { code: "KeyP" })), "p");
  assert.equal(nameOf(key("Process", { code: "KeyP" })), "p");
  assert.equal(nameOf(key("?", { shiftKey: true })), "?");
  assert.equal(nameOf(key("ArrowUp", { shiftKey: true })), "Shift+ArrowUp");
  assert.equal(nameOf(key("Z", { ctrlKey: true })), "Ctrl+z");
  assert.equal(nameOf(key(" ")), "Space");
  assert.equal(shown("Ctrl+`"), "Ctrl `");
  assert.equal(shown("+"), "+");
});

test("the first action that can be done now has the key, and none while one types", () => {
  globalThis.document = /** @type {any} */ ({ body: {}, querySelector: () => null });
  const actions = new Actions();
  /** @type {string[]} */
  const done = [];
  actions.add({ id: "a", label: () => "A", key: ["+", "="], when: () => done.length === 0, run: () => done.push("a") }, { id: "b", label: () => "B", key: "=", run: () => done.push("b") },
    { id: "c", label: () => "C", key: "Ctrl+k", where: "everywhere", run: () => done.push("c") }, { id: "d", label: () => "D", key: "Space", where: "canvas", run: () => done.push("d") });
  actions.press(key("="));
  actions.press(key("="));
  const field = { closest: () => true };
  assert.equal(actions.press(key("=", { target: field })), false);
  actions.press(key("k", { ctrlKey: true, target: field }));
  assert.equal(actions.press(key(" ")), false);
  actions.press(key(" ", { target: { id: "eye" } }));
  assert.deepEqual(done, ["a", "b", "c", "d"]);
  assert.deepEqual(actions.entries().map((one) => one.hint), ["=", "Ctrl K", "Space"]);
});

test("on a tab letters mean what they mean everywhere, and arrows are the tab's", () => {
  const actions = new Actions();
  /** @type {string[]} */
  const done = [];
  actions.add({ id: "v", label: () => "V", key: "v", run: () => done.push("v") }, { id: "left", label: () => "", key: "ArrowLeft", run: () => done.push("left") });
  const target = { closest: (/** @type {string} */ selector) => (selector.includes("[role=tab]") ? {} : null) };
  actions.press(key("v", { target }));
  assert.equal(actions.press(key("ArrowLeft", { target })), false);
  assert.deepEqual(done, ["v"]);
});

test("an arrow goes to the nearest thing that way", () => {
  const at = { x: 100, y: 100, w: 20, h: 20 };
  /** @type {[string, import("../../static/js/types").Box][]} */
  const things = [["right", { x: 130, y: 100, w: 20, h: 20 }], ["far", { x: 190, y: 100, w: 20, h: 20 }], ["aside", { x: 122, y: 180, w: 20, h: 20 }], ["below", { x: 100, y: 130, w: 20, h: 20 }], ["wide", { x: 0, y: 40, w: 300, h: 30 }], ["left", { x: 10, y: 104, w: 60, h: 60 }]];
  assert.equal(nearest(at, things, "right"), "right");
  assert.equal(nearest(at, things, "down"), "below");
  assert.equal(nearest(at, things, "up"), "wide");
  assert.equal(nearest(at, things, "left"), "left");
  assert.equal(nearest(at, [["up", { x: 100, y: 20, w: 20, h: 20 }]], "down"), null);
});

test("a view is written into the address and read again, and nonsense is not", () => {
  const view = { eye: [10.04, -20, 900], group: "label:app", filter: "app=web is:wrong", selected: ["Pod/default/web-1", "Node//w1"], panel: "inspector", at: 77 };
  assert.deepEqual(read(`#${written(view)}`), { ...view, eye: [10, -20, 900] });
  assert.equal(written({}), "");
  assert.equal(written({ panel: "" }), "panel=");
  assert.deepEqual(read("#eye=1,2&at=-3&panel=evil&select=<script>,x/y,Pod/a/b&key=secret"), { selected: ["Pod/a/b"] });
  assert.deepEqual(read("#eye=1,2,NaN&at=1e9"), {});
  assert.ok(!written(view).includes("key"));
});

test("a few letters find a command, whole words and beginnings first", () => {
  assert.ok(score("rst", "restart the rollout") > 0);
  assert.equal(score("xyz", "restart the rollout"), 0);
  assert.ok(score("roll", "roll back") > score("roll", "the scroll"));
  assert.ok(score("del", "delete…") > score("del", "describe at length"));
  /** @type {any[]} */
  const entries = [{ id: "fit", label: "Fit everything", run() {} }, { id: "delete", label: "Delete…", note: "kubectl delete pod web", run() {} }, { label: "web-1", hint: "Pod", run() {} }, { label: "web-2", hint: "Pod", run() {} }];
  assert.deepEqual(ranked(entries, "web", []).map((one) => one.label), ["web-1", "web-2", "Delete…"]);
  assert.deepEqual(ranked(entries, "pod web-2", []).map((one) => one.label), ["web-2"]);
  assert.deepEqual(ranked(entries, "", ["delete"]).map((one) => one.label), ["Delete…", "Fit everything", "Delete…"]);
});
