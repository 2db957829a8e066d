import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { DECISIONS, decided, thingOf, told } from "../../static/js/follow.js";
import { chooses } from "../../static/js/canvas/relations.js";

const NETWORK = new URL("../../server/cluster/network/", import.meta.url);
const words = JSON.parse(readFileSync(new URL("../../static/locales/en.json", import.meta.url), "utf8"));

/** Every decision that the server's network tells, with the parameters of its f-strings as words. */
function decisions() {
  const found = [];
  for (const file of readdirSync(NETWORK).filter((name) => name.endsWith(".py"))) {
    const code = readFileSync(new URL(file, NETWORK), "utf8");
    for (const match of code.matchAll(/\bhop\("\w+", [^"\n]*?(?:"[^"]*"\.join\([^"\n]*?\), )?(f?)"([^"\n]+)"/g)) found.push(match[1] ? match[2].replace(/\{[^{}]*\}/g, "80") : match[2]);
  }
  return found;
}

test("every decision that the network tells in plain words can be said in the page's language", () => {
  const all = decisions();
  assert.ok(all.length > 20, `${all.length}`);
  const own = /^(?:[\d:, ]*|drops the packets: 80|kube-proxy says how many endpoints .*|80 answers|port 80 speaks HTTPS)$/;
  const unknown = all.filter((said) => !own.test(said) && !DECISIONS.some(([, shape]) => shape.test(said)));
  assert.deepEqual(unknown, []);
});

test("each shape has words, and its parameters are the words' own", () => {
  for (const [key, shape] of DECISIONS) {
    const message = words[`decision.${key}`];
    assert.ok(message, key);
    const named = [...shape.source.matchAll(/\(\?<(\w+)>/g)].map(([, name]) => name);
    for (const [, name] of message.matchAll(/\{(\w+)\}/g)) assert.ok(named.includes(name), `${key}: ${name}`);
  }
});

test("what nobody translated is said as the server says it", () => {
  assert.equal(decided("10.244.1.2:80"), "10.244.1.2:80");
  assert.notEqual(told({ kind: "pod", what: "n/c", decision: "answers 200", detail: {} }, { kind: "ingress" }), "answers 200");
});

test("a hop knows the thing it is about", () => {
  assert.equal(thingOf({ kind: "policy", what: "d/a, d/b", decision: "", detail: { policies: ["d/a", "d/b"] } }), "NetworkPolicy/d/a");
  assert.equal(thingOf({ kind: "node", what: "w1", decision: "", detail: {} }), "Node//w1");
  assert.equal(thingOf({ kind: "ingress", what: "shop/", decision: "", detail: { ingress: "d/shop" } }), "Ingress/d/shop");
  assert.equal(thingOf({ kind: "dns", what: "web.d.svc", decision: "", detail: {} }), "");
});

test("a label selector chooses as the API says", () => {
  assert.ok(chooses({}, { a: "1" }) && chooses({ matchLabels: { a: "1" } }, { a: "1", b: "2" }) && !chooses({ matchLabels: { a: "1" } }, {}));
  const needs = (operator, values) => ({ matchExpressions: [{ key: "a", operator, values }] });
  assert.deepEqual([needs("In", ["1"]), needs("NotIn", ["1"]), needs("Exists"), needs("DoesNotExist")].map((one) => [chooses(one, { a: "1" }), chooses(one, {})]), [[true, false], [false, true], [true, false], [false, true]]);
});
