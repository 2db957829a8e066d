/**
 * One request, hop by hop: a source's target goes to the room, which makes the request; what each hop decided comes back and is listed.
 * The server tells decisions in English; here they are read again so that they can be said in the page's language.
 */
import { h } from "./dom.js";
import { knows, onLanguage, t } from "./i18n.js";
import { thingId } from "./scene.js";

/** @typedef {import("./types").Hop} Hop @typedef {import("./types").Followed} Followed @typedef {{target: string, port?: number, source?: string}} Aim */

/** What a hop may decide. @type {[string, RegExp][]} */
export const DECISIONS = [
  ["noName", /^(?:no such name|NXDOMAIN)$/], ["alias", /^is another name for (?<name>\S+), which does not exist$/], ["noServer", /^no DNS server answers$/], ["noAddress", /^has no address$/],
  ["noPort", /^nothing is served on that port$/], ["nobody", /^nobody has this address$/], ["noWay", /^the router has no way there$/], ["inside", /^is an address inside the cluster: nobody outside knows the way$/],
  ["noPod", /^no pod has (?<address>\S+)$/], ["noEntry", /^no node takes connections from the load balancer$/], ["entry", /^takes the connection from the load balancer$/],
  ["silent", /^does not answer$/], ["cut", /^is cut off$/], ["gone", /^is gone$/], ["gone", /^is no more$/],
  ["nodePort", /^port (?<port>\d+) is a node port$/], ["hostPort", /^port (?<port>\d+) is a host port of (?<pod>\S+)$/], ["program", /^a program listens on port (?<port>\d+)$/],
  ["noListener", /^nothing listens on port (?<port>\S+)$/], ["ranges", /^(?<address>\S+) is in none of its loadBalancerSourceRanges: dropped$/],
  ["noEndpoint", /^has no ready endpoint: the connection is rejected$/], ["noneHere", /^has no endpoint on (?<node>\S+) and its traffic policy is Local: dropped$/],
  ["isolated", /^drops the packets: (?<pod>\S+) is isolated for (?<direction>ingress) by (?<policies>.+), and no rule allows (?<protocol>\S+) port (?<port>\d+) from (?<peer>.+)$/],
  ["isolatedOut", /^drops the packets: (?<pod>\S+) is isolated for (?<direction>egress) by (?<policies>.+), and no rule allows (?<protocol>\S+) port (?<port>\d+) to (?<peer>.+)$/],
  ["matches", /^matches (?<path>\S+) \((?<kind>\S+)\) of Ingress (?<ingress>\S+)$/], ["noActive", /^has no active endpoint$/], ["noRule", /^matches no rule: the default backend answers$/],
  ["redirect", /^(?<status>\d{3}) to (?<location>\S+)$/], ["answers", /^answers (?<status>\d+)$/], ["full", /^has a full line of connections already: it takes no more$/],
  ["nfs", /^is the NFS server$/], ["nameServer", /^is the name server of the nodes' network$/], ["noHttp", /^(?:what listens on port \S+ )?does not speak HTTP$/], ["noTls", /^port (?<port>\d+) does not speak TLS$/],
  ["asked", /^is asked by way of (?<server>\S+)$/], ["canary", /^is the canary of Ingress (?<ingress>\S+)$/], ["limit", /^takes (?<rate>\S+) requests a second from (?<client>\S+), and (?<burst>\d+) more at once: refused$/],
  ["kept", /^(?<client>\S+) is not let in$/], ["large", /^takes bodies of at most (?<most>\d+) bytes$/], ["noPasswords", /^has no passwords: secret '(?<secret>.*)' cannot be read$/],
  ["password", /^asks for a name and a password$/], ["loop", /^comes back to the controller for ever$/],
  ["random", /^at random$/], ["turn", /^its turn \(round robin\)$/], ["hash", /^by a hash of the client's address$/], ["sticky", /^ClientIP affinity, for (?<seconds>\d+) seconds$/],
];

/** A decision in the page's language, or as the server tells it. @param {string} said */
export function decided(said) {
  for (const [key, shape] of DECISIONS) {
    const found = shape.exec(said);
    if (found && knows(`decision.${key}`)) return t(`decision.${key}`, found.groups);
  }
  return said;
}

/** A server that hands a request on says so before its rules do. @param {Hop} hop @param {Hop|undefined} next */
export const told = (hop, next) => (hop.kind === "pod" && next?.kind === "ingress" ? t("decision.passes") : decided(hop.decision));

/** What is the matter, in a few words: of a node or a pod what it did, else what kind of thing refused. @param {import("./types").Failure} error @param {(key: string) => string} say */
export const refusal = ({ hop, why }, say) => (why && (hop === "node" || hop === "pod") ? decided(why) : say(`hop.${hop}`));

/** The thing a hop is about. @param {Hop} hop */
export function thingOf({ kind, what, detail }) {
  /** @type {Record<string, [string, string|undefined]>} */
  const named = { service: ["Service", what], pod: ["Pod", what], dns: ["Pod", detail.pod], policy: ["NetworkPolicy", detail.policies?.[0]], ingress: ["Ingress", detail.ingress] };
  if (kind === "node") return thingId("Node", "", what);
  const [type, name] = named[kind] ?? ["", ""];
  const [ns, own] = (name ?? "").split("/");
  return own ? thingId(type, ns, own) : "";
}

/** The figures behind a decision. @param {Hop} hop */
function figures({ kind, detail }) {
  if (kind === "dns" && detail.server) return t("follow.dns", { server: detail.server, names: (detail.asked ?? []).join(", ") });
  if (kind === "service" && detail.mode) return t("follow.service", { ...detail, why: decided(detail.why) });
  return "";
}

export class Follow {
  /** The canvas that shows the way. @type {import("./canvas/stage.js").Stage|null} */
  static stage = null;

  /** @param {import("./api.js").Api} api @param {import("./scene.js").Scene} scene @param {(id: string) => void} show */
  constructor(api, scene, show) {
    this.api = api;
    this.scene = scene;
    this.show = show;
    /** @type {Followed|{refused: string}|null} */
    this.answer = null;
    this.element = h("div.follow", { role: "status" });
    this.asked = 0;
    /** @type {import("./follow/steps.js").Steps|null} */
    this.steps = null;
    this.unheard = onLanguage(() => this.#draw());
  }

  /** It is not needed any more. */
  end() {
    this.asked++;
    this.unheard();
    this.steps?.leave();
  }

  /** @param {Aim} aim */
  async run(aim) {
    const turn = ++this.asked;
    const answer = await this.api.follow(aim).catch((/** @type {Error} */ error) => ({ refused: error.message }));
    if (turn !== this.asked) return;
    this.answer = answer;
    this.#draw(true);
  }

  /** @param {boolean} [anew] it was followed just now */
  #draw(anew = false) {
    const { answer } = this;
    this.steps?.leave();
    this.steps = null;
    if (!answer) return;
    if ("refused" in answer) return this.element.replaceChildren(h("p.bad", { text: answer.refused }));
    const { hops, error, status, ms } = answer;
    const took = ms >= 1000 ? `${Math.round(ms / 100) / 10} s` : `${Math.round(ms * 10) / 10} ms`;
    this.element.replaceChildren(
      h("ol.way", { "aria-label": t("follow.hops") }, ...hops.map((hop, index) => this.#hop(hop, told(hop, hops[index + 1]), !!error && index === hops.length - 1))),
      h(error ? "p.bad" : "p.good", {}, h("b", { text: error ? refusal(error, t) : `HTTP ${status}` }), ` · ${took}`, error ? h("small", { text: error.text }) : null));
    void this.#walk(answer, anew);
  }

  /** The hops on the canvas, one after another. @param {Followed} answer @param {boolean} play */
  async #walk(answer, play) {
    if (!Follow.stage || !answer.hops.length) return;
    const { Steps } = await import("./follow/steps.js");
    if (answer === this.answer && !this.steps && this.element.isConnected) this.steps = new Steps(this.element, Follow.stage, answer, play);
  }

  /** @param {Hop} hop @param {string} decision @param {boolean} last it died here */
  #hop(hop, decision, last) {
    const id = thingOf(hop);
    const more = figures(hop);
    return h(last ? "li.bad" : "li", {}, h("span.kind", { text: t(`hopKind.${hop.kind}`) }), " ",
      this.scene.get(id) ? h("button.link", { type: "button", text: hop.what, onclick: () => this.show(id) }) : h("b", { text: hop.what }), " ", decision, last ? h("span.sr-only", { text: ` (${t("follow.died")})` }) : null, more ? h("small", { text: more }) : null);
  }
}
