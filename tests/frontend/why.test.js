import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { together } from "../../static/js/why/chain.js";
import { gathered } from "../../static/js/why/reasons.js";

const words = (name) => JSON.parse(readFileSync(new URL(`../../static/locales/why.${name}.json`, import.meta.url), "utf8"));
const step = (code, thing, client = "kubelet") => ({ code, thing, client, params: {}, user: "", verb: "", revision: 1, time: 0, count: 1 });

test("near misses of a Service are one reason, with every pod that is meant", () => {
  const near = (pod) => ({ code: "near-miss", params: { pod, key: "app", want: "wep", have: "web" }, facts: [{ thing: "Service/d/s", path: "spec.selector.app", value: "wep" }, { thing: pod, path: "metadata.labels.app", value: "web" }] });
  const [one, other, ...rest] = gathered([near("Pod/d/a"), near("Pod/d/b"), { code: "no-balancer", params: {} }]);
  assert.deepEqual([one.code, one.params.all.map((each) => each.pod), other.code, rest], ["near-miss", ["Pod/d/a", "Pod/d/b"], "no-balancer", []]);
  assert.deepEqual(one.facts.map((each) => each.thing), ["Service/d/s", "Pod/d/a", "Pod/d/b"]);
});

test("steps of one thing that follow each other stand together; an act of chaos and what was left out stand alone", () => {
  const groups = together([step("created", "Deployment/d/w"), step("made", "Pod/d/p"), step("scheduled", "Pod/d/p"), step("chaos", "Pod/d/p"), step("exited", "Pod/d/p"), step("skipped", "Pod/d/p"), step("ready", "Pod/d/p")]);
  assert.deepEqual(groups.map((group) => group.map((one) => one.code)), [["created"], ["made", "scheduled"], ["chaos"], ["exited"], ["skipped"], ["ready"]]);
});

test("a sentence is short enough to be read", () => {
  for (const [key, message] of Object.entries(words("en"))) assert.ok((message.other ?? message).length < 240, key);
});
