import assert from "node:assert/strict";
import { test } from "node:test";
import { expanded, LineEditor } from "../../static/js/lineeditor.js";

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

test("! takes lines and words from the history, as bash does", () => {
  const history = ["kubectl get pods", "kubectl create deploy web --image 'my img'", "cat a.yml | grep $(whoami)"];
  const says = (line) => expanded(line, history)?.line;
  assert.equal(says("!!"), history[2]);
  assert.equal(says("sudo !! -v"), `sudo ${history[2]} -v`);
  assert.equal(says("echo !$"), "echo $(whoami)");
  assert.equal(says("vi !^"), "vi a.yml");
  assert.equal(says("!-3 -A"), "kubectl get pods -A");
  assert.equal(says("!kubectl:$"), "'my img'");
  assert.equal(says("!?get?:*"), "get pods");
  assert.equal(says("echo !-2:3-4"), "echo web --image");
  assert.equal(says("echo !cat:0"), "echo cat");
  assert.equal(says("^a.yml^b.yml"), "cat b.yml | grep $(whoami)");
  assert.equal(says('echo "!$"'), 'echo "$(whoami)"');
  assert.equal(expanded("!!:p", history).printed, true);
  assert.equal(expanded("!kubectl", history).shown, true);
});

test("what is quoted or no event is left alone, and one that is not there is an error", () => {
  for (const line of ["echo '!!'", "echo hi!", "a != b", "[ ! -f x ]", "echo \\!!", "kill $!", "echo ${!x}", "if ! true; then :; fi", "ls [!a]*", "ls # !!", "echo 'a"]) assert.equal(expanded(line, ["one"]), null, line);
  const error = (line) => expanded(line, ["one two"]).error;
  assert.equal(error("!x"), "!x: event not found");
  assert.equal(error("!12"), "!12: event not found");
  assert.equal(error("!!:7"), ":7: bad word specifier");
  assert.equal(error("!!:h"), ":h: unrecognized history modifier");
  assert.equal(error("^z^y"), "^z^y: substitution failed");
  assert.equal(expanded("!!", []).error, "!!: event not found");
  assert.match(expanded("!!!!", ["x".repeat(5000)]).error, /too long/);
});

test("the line that ran is remembered, not the way it was typed; nothing of one that failed, and a line of a here-document is as it is", () => {
  const editor = new LineEditor(["ls a"]);
  const [act] = type(editor, ..."cat !$", "\r").slice(-1);
  assert.deepEqual([act.type, act.line, act.shown], ["run", "cat a", true]);
  assert.deepEqual(editor.history, ["ls a", "cat a"]);
  assert.match(type(editor, ..."!none", "\r").at(-1).error, /event not found/);
  assert.deepEqual(editor.history, ["ls a", "cat a"]);
  editor.literal = true;
  assert.equal(type(editor, ..."!!", "\r").at(-1).line, "!!");
});
