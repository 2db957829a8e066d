/** From a place in a manifest, whole or broken, to the path in the schema. */
import assert from "node:assert/strict";
import test from "node:test";
import { documentAt, documents, placeAt } from "../../static/js/editor/position.js";

/** The place of the `|` in a text. @param {string} text */
function at(text) {
  const offset = text.indexOf("|");
  return placeAt(text.replace("|", ""), offset);
}

/** @param {string} text @param {string} path @param {"key"|"value"} what @param {string} [word] */
function is(text, path, what, word) {
  const place = at(text);
  assert.ok(place, `nothing at ${text}`);
  assert.equal(place.path.join("."), path, text);
  assert.equal(place.at, what, text);
  if (word !== undefined) assert.equal(what === "key" ? place.word : place.word, word, text);
  return place;
}

const POD = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: x\n";

test("at the left margin one is in the object itself", () => {
  is("|", "", "key", "");
  is("api|", "", "key", "api");
  is("apiVersion: v1\nki|", "", "key", "ki");
  is("apiVersion: v1\nkind: P|", "", "value", "P");
  is("apiVersion: v1\nkind:|", "", "value", "");
  is("apiVersion: v1\nkind: |\nmetadata:\n  name: x\n", "", "value", "");
});

test("an indented line is in the key above it", () => {
  is(`${POD}spec:\n  |`, "spec", "key", "");
  is(`${POD}spec:\n  cont|`, "spec", "key", "cont");
  is(`${POD}spec:\n  restartPolicy: |`, "spec", "value", "");
  is(`${POD}spec:\n    deep:\n        deeper|`, "spec.deep", "key");
});

test("a list's items are counted, dashes indented or not", () => {
  for (const dash of ["", "  "]) {
    is(`${POD}spec:\n  containers:\n  ${dash}- |`, "spec.containers.0", "key", "");
    is(`${POD}spec:\n  containers:\n  ${dash}- name: a\n  ${dash}  |`, "spec.containers.0", "key");
    is(`${POD}spec:\n  containers:\n  ${dash}- name: a\n  ${dash}- name: b\n  ${dash}  im|`, "spec.containers.1", "key", "im");
    is(`${POD}spec:\n  containers:\n  ${dash}- name: a\n  ${dash}  ports:\n  ${dash}  - containerPort: 80\n  ${dash}    proto|`, "spec.containers.0.ports.0", "key");
    is(`${POD}spec:\n  containers:\n  ${dash}- name: a\n  ${dash}  env:\n  ${dash}  - name: A\n  ${dash}  - name: B\n  ${dash}    valueFrom:\n  ${dash}      |\n`, "spec.containers.0.env.1.valueFrom", "key");
  }
});

test("after a list one is back in the mapping around it", () => {
  is(`${POD}spec:\n  containers:\n  - name: a\n    image: b\n  rest|`, "spec", "key", "rest");
  is(`${POD}spec:\n  containers:\n    - name: a\n      image: b\n  |`, "spec", "key", "");
});

test("a dash's key is in the item", () => {
  is(`${POD}spec:\n  containers:\n  - na|`, "spec.containers.0", "key", "na");
  is(`${POD}spec:\n  containers:\n  - name: |`, "spec.containers.0", "value", "");
  is(`${POD}spec:\n  containers:\n  - name: a\n  -  image: ng|`, "spec.containers.1", "value", "ng");
});

test("plain items of lists, and lists of lists", () => {
  assert.equal(is(`${POD}spec:\n  containers:\n  - command:\n    - sh\n    - -|c`, "spec.containers.0.command.1", "key").item, true);
  is("a:\n- - x\n  - y|", "a.0.1", "key");
  is("a:\n  - - b: 1\n      c|: 2", "a.0.0", "key");
});

test("the keys beside it are known, above and below", () => {
  const place = is(`${POD}spec:\n  containers:\n  - name: a\n    |\n    image: nginx # the web\n    ports:\n    - containerPort: 80\n  - name: b\n    tty: true\n`, "spec.containers.0", "key");
  assert.deepEqual(place.siblings, { name: "a", image: "nginx", ports: "" });
  assert.deepEqual(at("env:\n- valueFrom:\n    configMapKeyRef:\n      name: settings\n      key: |\n")?.siblings, { name: "settings" });
});

test("too deep on an empty line is beside the last key, not inside its plain value", () => {
  is(`${POD}spec:\n  restartPolicy: Never\n      |`, "spec", "key", "");
  is("metadata:\n  name: x\n    |\nspec:\n", "metadata", "key");
});

test("empty lines and comments in between change nothing", () => {
  is(`${POD}\n# what it runs\nspec:\n\n  # the containers\n  containers:\n\n  - name: a\n\n    # its ports\n    po|`, "spec.containers.0", "key", "po");
});

test("in a comment there is nothing to say", () => {
  assert.equal(at(`${POD}# sp|ec`), null);
  assert.equal(at(`${POD}spec: # wh|y`), null);
  assert.ok(at(`${POD}spec:\n  hostname: "a#|b"`));
});

test("in a block of text there is nothing to say, behind it there is", () => {
  assert.equal(at("data:\n  a: |\n    kind: P@\n".replace("|", ">").replace("@", "|")), null);
  assert.equal(placeAt("data:\n  page: |\n    <h1>\n    key: \n  b: 1\n", 32), null);
  const text = "data:\n  page: |-\n    <h1>\n\n    x: 1\n  b: 1\nspec:\n  re";
  assert.equal(placeAt(text, text.length)?.path.join("."), "spec");
  assert.equal(placeAt(text, text.indexOf("b: 1"))?.path.join("."), "data");
});

test("documents are apart, each with its kind and namespace", () => {
  const text = "kind: Service\napiVersion: v1\nmetadata:\n  name: a\n  # comment\n  namespace: dev # here\n---\napiVersion: apps/v1\nkind: Deployment\nspec:\n  repl";
  const place = placeAt(text, text.length);
  assert.equal(place?.doc.kind, "Deployment");
  assert.equal(place?.path.join("."), "spec");
  assert.deepEqual(documents(text).map(({ apiVersion, kind, namespace }) => [apiVersion, kind, namespace]), [["v1", "Service", "dev"], ["apps/v1", "Deployment", ""]]);
  assert.equal(documentAt(text, 3).kind, "Service");
  is("---\n# first\n---\nkind: |", "", "value");
});

test("broken YAML around does not matter", () => {
  is(`${POD}spec:\n  containers:\n  - name: "a\n    image: [\n    |`, "spec.containers.0", "key");
  is(`kind: Pod\n  bad indent\nspec:\n  : :\n  containers:\n  - |`, "spec.containers.0", "key");
  is("a: {b: \nspec:\n  c|", "spec", "key", "c");
  is("spec\nkind: |", "", "value");
  is("spec:\n\tx\n  a|", "spec", "key");
});

test("inside braces and brackets", () => {
  is("spec: {sel|", "spec", "key", "sel");
  is("spec: {selector: {app: w|", "spec.selector", "value", "w");
  is("spec: {containers: [{name: a, im|", "spec.containers.0", "key", "im");
  assert.deepEqual(at("spec: {a: 1, b|")?.siblings, { a: "1" });
  is('spec:\n  containers:\n  - {name: a, image: "x, y", pull|}', "spec.containers.0", "key", "pull");
  assert.equal(is("args: [a, b|]", "args.1", "key", "b").item, true);
});

test("quoted keys, keys with dots and slashes, urls as values", () => {
  is('metadata:\n  labels:\n    "app": |', "metadata.labels", "value");
  is("metadata:\n  annotations:\n    example.com/x: |", "metadata.annotations", "value", "");
  is("spec:\n  url: http://a.b|/c", "spec", "value", "http://a.b/c");
});

test("every prefix of a manifest has an answer and none throws", () => {
  const text = `${POD}  labels: {app: x}\nspec:\n  containers:\n  - name: a\n    command: ["sh", "-c", "x: y"]\n    env:\n      - {name: A, value: "1"}\n---\nkind: List\nitems:\n- kind: Pod\n`;
  for (let length = 0; length <= text.length; length++) for (const offset of [0, length >> 1, length]) placeAt(text.slice(0, length), offset);
});
