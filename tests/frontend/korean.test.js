/** The Korean words as a whole: one term for one thing (those of Kubernetes' own Korean documentation), polite throughout, and grammar that holds whatever a variable says. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const read = (name) => JSON.parse(readFileSync(new URL(`../../static/locales/${name}.json`, import.meta.url), "utf8"));
const texts = (name) => Object.entries(read(name)).flatMap(([key, message]) => (typeof message === "string" ? [message] : Object.values(message)).map((text) => [key, text]));
const KOREAN = [...texts("ko"), ...texts("why.ko")];
/** What is not said, and the word for it. */
const GLOSSARY = [
  [/포드/, "파드"], [/애너테이션/, "어노테이션"], [/라벨/, "레이블"], [/Kubernetes/, "쿠버네티스"], [/(?<!\()toleration(?!Seconds)/, "톨러레이션"], [/\breplica\b/, "레플리카"],
  [/거절/, "거부"], [/까닭/, "이유"], [/입양/, "넘겨받음"], [/일시 중지/, "일시 정지(pause), 일시 중단(suspend)"], [/네트워크 정책/, "NetworkPolicy"], [/고장 내/, "망가뜨리기"], [/바라는 /, "원하는"],
  [/\bPods?\b/, "파드"], [/\bNodes?\b(?! 오브젝트| authorizer)/, "노드"], [/\bNamespace\b/, "네임스페이스"],
];
/** What is the same in both languages: kinds, fields, states, and what is typed. */
const SAME = /^(Service|Deployment|ReplicaSet|StatefulSet|DaemonSet|Job|CronJob|Endpoints|EndpointSlice|NetworkPolicy|Ingress|HPA|YAML|IP|CPU|DNS|kubelet|Describe|rev|minAvailable|maxUnavailable|NotReady|Pending|OOMKilled|ImagePull|CrashLoop|crashloop|unscheduled|wrong|ready|waiting|done|system|s|ms)$/;

test("no Korean particle that depends on a final consonant stands straight after a variable", () => {
  for (const [key, text] of KOREAN) assert.doesNotMatch(text, /\}(\((으|이)\))?(을|를|이|가|은|는|과|와|으로|로|이라|라|라서|여서|이어서|이고|이며|이나|나|아|야)(?=[ .,:;)]|$)/, key);
});

test("one thing has one Korean name", () => {
  for (const [key, text] of KOREAN) for (const [wrong, right] of GLOSSARY) assert.doesNotMatch(text, wrong, `${key}: ${right}`);
});

test("a Korean sentence is polite", () => {
  for (const [key, text] of KOREAN) assert.doesNotMatch(text, /(?<!니)다[.!](\s|$)|[가-힣](라|해|자)[.!](\s|$)/, key);
});

test("what is said in English is said in Korean", () => {
  for (const [key, text] of KOREAN) if (!/[가-힣]/.test(text)) for (const word of text.replace(/\{\w+\}/g, " ").match(/[A-Za-z]+/g) ?? []) assert.match(word, SAME, `${key}: ${text}`);
});
