// Runs inside a room's page (bench/canvas.py puts it there): makes a cluster of so many pods, loads it as the server would, and times frames.
(() => {
  const PODS_A_NODE = 110;
  const LIVELY = ["ready", "ready", "ready", "ready", "ready", "ready", "running", "creating", "succeeded", "crashloop"];
  let state = 7;
  const random = (below) => ((state = (Math.imul(state, 1103515245) + 12345) >>> 0), Math.floor((state / 2 ** 32) * below));

  const podOf = (i, node, status) => ({
    kind: "Pod", ns: `team-${i % 12}`, name: `app-${i % 200}-7d4b9c-${i.toString(36).padStart(5, "0")}`, node, state: status, status: status === "crashloop" ? "CrashLoopBackOff" : "Running",
    phase: "Running", ready: status === "ready" ? "1/1" : "0/1", restarts: status === "crashloop" ? 3 : 0, ip: `10.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}`, labels: { app: `app-${i % 200}`, tier: i % 3 ? "web" : "job", "pod-template-hash": "7d4b9c" },
    owner: `ReplicaSet/team-${i % 12}/app-${i % 200}-7d4b9c`, cpu: 100, memory: 134217728, created: i % 1000,
    containers: [{ name: "app", image: "registry.example/app:1.4", state: "running", ready: status === "ready", restarts: 0 }],
  });

  const cluster = (pods) => {
    const nodes = Math.ceil(pods / PODS_A_NODE);
    const things = {};
    for (const name of ["kube-apiserver", "etcd", "kube-scheduler", "kube-controller-manager"]) things[`Component//${name}`] = { kind: "Component", name, healthy: true };
    for (let i = 0; i < nodes; i++)
      things[`Node//worker-${i}`] = { kind: "Node", name: `worker-${i}`, ready: "True", unschedulable: false, roles: [], taints: [], ip: `172.18.${i >> 8}.${i & 255}`, cpu: 16000, memory: 68719476736, pods: 110, version: "v1.36.0", labels: {}, requested: { cpu: 11000, memory: 14763950080, pods: 110 } };
    const ids = [];
    for (let i = 0; i < pods; i++) {
      const status = i % 997 === 0 ? "crashloop" : i % 211 === 0 ? "running" : "ready";
      const record = podOf(i, `worker-${i % nodes}`, status);
      const id = `Pod/${record.ns}/${record.name}`;
      things[id] = record;
      ids.push(id);
    }
    for (let i = 0; i < 20; i++) {
      const endpoints = ids.filter((_, at) => at % 200 === i).slice(0, 60).map((pod) => ({ pod, ready: true }));
      const ns = `team-${i % 12}`;
      things[`Service/${ns}/svc-${i}`] = { kind: "Service", ns, name: `svc-${i}`, type: "ClusterIP", clusterIP: `10.96.0.${i}`, externalIPs: [], ports: [{ port: 80, targetPort: 8080, protocol: "TCP" }], selector: { app: `app-${i}` }, endpoints, near: [] };
      things[`Traffic//t${i}`] = { kind: "Traffic", name: `t${i}`, target: `Service/${ns}/svc-${i}`, service: `Service/${ns}/svc-${i}`, port: 80, rate: 100, ok: 100, failed: 0, latency: 3, paths: [] };
      things[`Deployment/${ns}/app-${i}`] = { kind: "Deployment", ns, name: `app-${i}`, replicas: 50, ready: 50, updated: 50, available: 50, unavailable: 0, current: 50, ceiling: 63, floor: 38, maxSurge: 13, maxUnavailable: 12, strategy: "RollingUpdate", revision: "1", paused: false, selector: { app: `app-${i}` } };
      things[`ReplicaSet/${ns}/app-${i}-7d4b9c`] = { kind: "ReplicaSet", ns, name: `app-${i}-7d4b9c`, owner: `Deployment/${ns}/app-${i}`, replicas: 50, ready: 50, current: 50, revision: "1", hash: "7d4b9c", image: "registry.example/app:1.4" };
    }
    return { things, ids, nodes };
  };

  const summary = (times) => {
    const sorted = [...times].sort((a, b) => a - b);
    const at = (part) => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] * 10) / 10;
    return { median: at(0.5), p95: at(0.95), worst: at(1), frames: sorted.length };
  };
  const frame = () => new Promise((done) => requestAnimationFrame(done));

  /** Frame times while `each` is called once a frame. */
  const timed = async (frames, each) => {
    const times = [];
    let last = await frame();
    for (let i = 0; i < frames; i++) {
      each(i);
      const now = await frame();
      times.push(now - last);
      last = now;
    }
    return summary(times);
  };

  window.clusterOf = cluster;

  window.measure = async (pods, frames, particles) => {
    const { scene, stage, live } = podium;
    for (const event of ["diff", "snapshot", "clock"]) live.socket.off(event);
    const made = cluster(pods);
    await frame();
    const result = { pods, nodes: made.nodes, particles };

    const began = performance.now();
    const gaps = [];
    let last = began;
    let loading = true;
    const watch = () => { const now = performance.now(); gaps.push(now - last); last = now; if (loading) requestAnimationFrame(watch); };
    scene.load({ revision: 1, time: 100, things: made.things, scene: "bench", storeRevision: 1 });
    stage.fit();
    requestAnimationFrame(watch);
    await frame();
    result.first_picture = Math.round(performance.now() - began);
    while (stage.layout.pods.size < pods || stage.whole || stage.busy) await frame();
    await frame();
    result.all_placed = Math.round(performance.now() - began);
    loading = false;
    result.longest_while_loading = Math.round(Math.max(...gaps));
    for (let i = 0; i < 40; i++) await frame();

    let revision = 1;
    let walker = 0;
    stage.motion.most = particles;
    const changing = Math.max(1, Math.round(pods / 100));
    const diffs = Array.from({ length: 40 }, () => Array.from({ length: changing }, () => {
      const i = random(pods);
      return ["set", made.ids[i], podOf(i, `worker-${i % made.nodes}`, LIVELY[random(LIVELY.length)])];
    }));
    const step = (i) => {
      const signals = [];
      for (let need = Math.min(200, particles - stage.motion.walks.length); need > 0; need--) {
        const service = walker++ % 20;
        const ns = `team-${service % 12}`;
        const ends = made.things[`Service/${ns}/svc-${service}`].endpoints;
        if (ends.length) signals.push({ type: "walk", at: 100, source: `Traffic//t${service}`, service: `Service/${ns}/svc-${service}`, pod: ends[walker % ends.length].pod, status: 200, ms: 3, error: null, numbers: [80, 8080] });
      }
      scene.apply({ from: revision, to: revision + 1, time: 100 + i / 60, ops: diffs[i % diffs.length], signals });
      revision++;
    };
    await timed(30, step);
    result.fit = await timed(frames, step);
    result.walks = stage.motion.walks.length;
    const pod = stage.layout.podBox(made.ids[Math.floor(pods / 2)]);
    const view = stage.camera.view;
    const to = (pixels) => {
      stage.auto = false;
      stage.camera.zoom = pixels / pod.w;
      stage.camera.x = pod.x + pod.w / 2 - view.w / 2 / stage.camera.zoom;
      stage.camera.y = pod.y + pod.h / 2 - view.h / 2 / stage.camera.zoom;
      stage.repaint();
    };
    to(20);
    await timed(20, step);
    result.glyphs = await timed(frames, step);
    to(60);
    await timed(20, step);
    result.near = await timed(frames, step);
    to(16);
    await timed(20, step);
    result.moving = await timed(frames * 2, (i) => {
      step(i);
      if (i % 60 < 30) stage.panBy(i % 120 < 60 ? 14 : -14, 6);
      else stage.zoomBy(i % 120 < 60 ? 1 / 1.06 : 1.06, view.w / 2, view.h / 2);
    });
    return result;
  };
})();
