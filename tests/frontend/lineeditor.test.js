import assert from "node:assert/strict";
import { test } from "node:test";
import { LineEditor } from "../../static/js/lineeditor.js";

/** @param {LineEditor} editor @param {...string} keys */
const type = (editor, ...keys) => keys.flatMap((key) => [...editor.feed(key)]);
const UP = "\x1b[A", DOWN = "\x1b[B", LEFT = "\x1b[D", HOME = "\x1b[H", END = "\x1b[F";

test("letters go in at the cursor", () => {
  const editor = new LineEditor();
  type(editor, ..."get pds", LEFT, LEFT, "o");
  assert.equal(editor.line, "get pods");
  type(editor, HOME, ..."k ", END, ..." -A");
  assert.equal(editor.line, "k get pods -A");
});

test("Ctrl A E U K W Y and Alt B move and cut as a shell does", () => {
  const editor = new LineEditor();
  type(editor, ..."kubectl get pods", "\x17");
  assert.equal(editor.line, "kubectl get ");
  type(editor, "\x19");
  assert.equal(editor.line, "kubectl get pods");
  type(editor, "\x1bb", "\x0b");
  assert.equal(editor.line, "kubectl get ");
  type(editor, "\x01", "\x0b");
  assert.equal(editor.line, "");
  type(editor, "\x19", "\x05", "\x15");
  assert.equal(editor.line, "");
});

test("history goes up and down and keeps the line one was typing", () => {
  const editor = new LineEditor(["one", "two"]);
  type(editor, ..."dra", UP);
  assert.equal(editor.line, "two");
  type(editor, UP, UP);
  assert.equal(editor.line, "one");
  type(editor, DOWN, DOWN);
  assert.equal(editor.line, "dra");
});

test("a line run twice in a row is remembered once", () => {
  const editor = new LineEditor();
  type(editor, ..."ls", "\r", ..."ls", "\r", "\r");
  assert.deepEqual(editor.history, ["ls"]);
});

test("a paste of several lines runs each that ends and leaves the last to edit", () => {
  const editor = new LineEditor();
  const run = [];
  for (const act of editor.feed("kubectl get pods\r\nkubectl get svc\r\nkubectl get")) if (act.type === "run") run.push(act.line);
  assert.deepEqual(run, ["kubectl get pods", "kubectl get svc"]);
  assert.equal(editor.line, "kubectl get");
});

test("Ctrl C drops the line, Ctrl D ends only an empty one", () => {
  const editor = new LineEditor();
  assert.equal(type(editor, "a", "\x03").at(-1).type, "interrupt");
  assert.equal(editor.line, "");
  assert.equal(type(editor, "\x04").at(-1).type, "end");
  type(editor, ..."ab", HOME, "\x04");
  assert.equal(editor.line, "b");
});

test("backspace takes a whole letter, also beyond the basic plane", () => {
  const editor = new LineEditor();
  type(editor, "파드", "😀", "\x7f");
  assert.equal(editor.line, "파드");
  type(editor, "\x7f");
  assert.equal(editor.line, "파");
});

test("Ctrl R finds older lines, Enter runs what is found, Ctrl G gives back what was typed", () => {
  const editor = new LineEditor(["kubectl get pods", "ls", "kubectl get svc", "echo pods"]);
  const SEARCH = "\x12";
  type(editor, ..."half", SEARCH, ..."get");
  assert.deepEqual([editor.line, editor.cursor, editor.search?.text], ["kubectl get svc", 8, "get"]);
  type(editor, SEARCH);
  assert.equal(editor.line, "kubectl get pods");
  type(editor, SEARCH);
  assert.deepEqual([editor.line, editor.search?.found], ["kubectl get pods", false]);
  type(editor, "\x7f", "\x7f", "\x7f", ..."pods");
  assert.deepEqual([editor.line, editor.search?.found], ["echo pods", true]);
  type(editor, "\x07");
  assert.deepEqual([editor.line, editor.search], ["half", null]);
  assert.deepEqual(type(editor, SEARCH, ..."svc", "\r").slice(-2), [{ type: "draw" }, { type: "run", line: "kubectl get svc" }]);
  type(editor, SEARCH, "l", "s", END, "!");
  assert.deepEqual([editor.line, editor.search], ["ls!", null]);
  editor.set("");
  type(editor, SEARCH, ..."ls", "\x1b", UP);
  assert.equal(editor.line, "kubectl get pods");
  assert.deepEqual(type(editor, SEARCH, "l", "\x03").at(-1)?.type, "interrupt");
  assert.equal(editor.search, null);
  type(editor, SEARCH, "x", "pasted text");
  assert.equal(editor.line, "pasted text");
});
