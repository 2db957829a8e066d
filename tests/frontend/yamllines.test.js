/** Where a field stands in the YAML that kubectl prints, what folds with it, and what is left of it to apply again. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { asWritten, keys, lineOf, lines, steps } from "../../static/js/inspector/yamllines.js";

const POD = `apiVersion: v1
kind: Pod
metadata:
  annotations:
    note: |
      first: line
      second
  labels:
    app.kubernetes.io/name: web
  managedFields:
  - manager: kubectl
    operation: Update
  name: web
  uid: abc
spec:
  containers:
  - args:
    - -c
    - "a: b"
    image: nginx
    name: main
    ports:
    - containerPort: 80
      protocol: TCP
    - containerPort: 443
  - image: busybox
    name: side
  nodeName: w1
status:
  conditions:
  - status: "True"
    type: Ready
  phase: Running
`;
const at = (path) => lines(POD)[lineOf(lines(POD), path)]?.text.trim();

test("a field is found by the path that people write", () => {
  assert.equal(at("spec.nodeName"), "nodeName: w1");
  assert.equal(at("spec.containers[0].image"), "image: nginx");
  assert.equal(at("spec.containers[1].image"), "- image: busybox");
  assert.equal(at("spec.containers[0].args[1]"), '- "a: b"');
  assert.equal(at("spec.containers[0].ports[1].containerPort"), "- containerPort: 443");
  assert.equal(at('metadata.labels["app.kubernetes.io/name"]'), "app.kubernetes.io/name: web");
  assert.equal(at("metadata.annotations.note"), "note: |");
});

test("an item is found by one of its fields", () => {
  assert.equal(at("spec.containers[name=side].image"), "- image: busybox");
  assert.equal(at("status.conditions[type=Ready].status"), '- status: "True"');
});

test("of a field that is not there the nearest one above is found", () => {
  assert.equal(at("spec.containers[0].resources.requests"), "- args:");
  assert.equal(at("nonsense"), undefined);
});

test("what hangs below a line ends where its block ends, lists at the same depth and block texts too", () => {
  const found = lines(POD);
  const block = (path) => found.slice(lineOf(found, path), found[lineOf(found, path)].end + 1).length;
  assert.equal(block("metadata.managedFields"), 3);
  assert.equal(block("metadata.annotations.note"), 3);
  assert.equal(block("status"), 5);
  assert.equal(block("spec.containers"), 12);
  assert.equal(block("spec.nodeName"), 1);
});

test("what looks like a field inside a block of text is none", () => {
  assert.equal(lines(POD).find((line) => line.text.includes("first:"))?.kind, "text");
});

test("the steps of a path may be quoted", () => {
  assert.deepEqual(steps('a.b[0]["c.d/e"].f'), ["a", "b", "0", "c.d/e", "f"]);
});

test("what the cluster fills in is not applied again", () => {
  const text = asWritten(POD);
  for (const gone of ["managedFields", "uid", "status:", "phase"]) assert.ok(!text.includes(gone), gone);
  for (const kept of ["name: web\nspec:", "image: busybox", "first: line"]) assert.ok(text.includes(kept), kept);
});

test("a line keeps its name when another comes before it", () => {
  const longer = POD.replace("    image: nginx\n", "    env:\n    - name: A\n    image: nginx\n");
  const [before, after] = [POD, longer].map((text) => { const found = lines(text); return keys(found)[lineOf(found, "spec.containers[0].image")]; });
  assert.equal(before, after);
  assert.equal(new Set(keys(lines(POD))).size, lines(POD).length);
});
