// @ts-check
// Zoom, search and other widths for the flamegraph that this file stands in. The picture is
// complete without it.
(function () {
  "use strict";
  const MARGIN = 10, WIDTH = 1180, TOP = 84, ROW = 18, LINE = 10.5, CHARACTER = 6.6;
  const MODES = ["churn", "after", "before", "growth"];
  const byId = (/** @type {string} */ id) => /** @type {any} */ (document.getElementById(id));
  /** @type {number[][]} */
  const data = JSON.parse(byId("data").textContent);
  const groups = Array.from(byId("frames").children).filter((g) => g.tagName === "g");
  if (groups.length !== data.length || data.length === 0) return;
  const titles = groups.map((g) => (g.querySelector("title") || g).textContent || "");
  const names = titles.map((t) => t.split("\n")[0]);
  const changes = titles.map((t) => (/\(([^()]*)\), up/.exec(t) || ["", ""])[1]);
  /** @type {number[][]} */
  const children = data.map(() => []);
  data.forEach((d, i) => { if (i > 0) children[d[0]].push(i); });
  const own = [
    (/** @type {number[]} */ d) => d[3] + d[4], (/** @type {number[]} */ d) => Math.max(0, d[2]),
    (/** @type {number[]} */ d) => Math.max(0, d[1]), (/** @type {number[]} */ d) => d[3],
  ];
  const started = byId("mode").textContent.replace(/^width: /, "");
  const suffix = started.replace(/^[a-z]+/, "");
  let mode = Math.max(0, MODES.indexOf(started.slice(0, started.length - suffix.length)));
  let root = 0, sorted = false, pattern = "";

  /** Sums of subtrees: by the width in use, and the net change. */
  function sums() {
    const wide = data.map(own[mode]), net = data.map((d) => d[2] - d[1]);
    const up = data.map((d) => d[3] + d[4]);
    for (let i = data.length - 1; i > 0; i--) {
      wide[data[i][0]] += wide[i]; net[data[i][0]] += net[i]; up[data[i][0]] += up[i];
    }
    return { wide, net, up };
  }

  function draw() {
    const { wide, net, up } = sums();
    const places = data.map(() => null);
    const above = [];
    for (let i = root; i !== 0; i = data[i][0]) above.push(data[i][0]);
    above.reverse();
    above.forEach((i, depth) => { places[i] = /** @type {any} */ ([0, WIDTH, depth, true]); });
    const scale = wide[root] > 0 ? WIDTH / wide[root] : 0;
    const todo = /** @type {number[][]} */ ([[root, 0, above.length]]);
    let deepest = 0;
    while (todo.length) {
      const [i, left, depth] = /** @type {number[]} */ (todo.pop());
      if (wide[i] * scale < 0.1) continue;
      places[i] = /** @type {any} */ ([left, wide[i] * scale, depth, false]);
      deepest = Math.max(deepest, depth);
      let x = left;
      const list = sorted ? children[i].slice().sort((a, b) => net[b] - net[a] || a - b) : children[i];
      for (const c of list) { todo.push([c, x, depth + 1]); x += wide[c] * scale; }
    }
    groups.forEach((g, i) => {
      const place = /** @type {any} */ (places[i]);
      if (!place) { g.setAttribute("display", "none"); return; }
      g.removeAttribute("display");
      const [left, w, depth, over] = place;
      const x = MARGIN + left, y = TOP + depth * ROW;
      const [box, bar] = Array.from(g.querySelectorAll("rect"));
      set(box, { x, y, width: w, height: ROW - 1 });
      const share = mode === 0 ? Math.abs(net[i]) / Math.max(1, up[i]) : 1;
      set(bar, { x, y: y + ROW - 4, width: w * share, height: 3 });
      const text = /** @type {Element} */ (g.querySelector("text"));
      set(text, { x: x + 3, y: y + LINE });
      text.textContent = label(i, Math.floor((w - 6) / CHARACTER));
      g.classList.toggle("above", over);
      g.classList.toggle("found", pattern !== "" && names[i].toLowerCase().includes(pattern));
    });
    byId("mode").textContent = "width: " + MODES[mode] + suffix;
  }

  function set(/** @type {Element} */ e, /** @type {Record<string, number>} */ values) {
    for (const k of Object.keys(values)) e.setAttribute(k, String(Math.round(values[k] * 10) / 10));
  }

  function label(/** @type {number} */ i, /** @type {number} */ room) {
    if (room < 3) return "";
    const quiet = groups[i].classList.contains("quiet");
    const full = (quiet ? "" : changes[i] + " ") + names[i];
    if (full.length <= room) return full;
    if (names[i].length <= room) return names[i];
    return room < 5 ? names[i].slice(0, room) : names[i].slice(0, (room - 3) / 3) + "..." + names[i].slice(names[i].length - (room - 3 - Math.floor((room - 3) / 3)));
  }

  function search() {
    const found = window.prompt("Find functions by a part of their name", pattern);
    if (found !== null) { pattern = found.toLowerCase(); draw(); }
  }

  byId("keys").textContent = "click zooms, Esc or 0 back; / finds; w or 1-4 width; o order by growth";
  byId("frames").addEventListener("click", (/** @type {Event} */ e) => {
    const g = /** @type {Element} */ (e.target).closest("g");
    const i = g ? groups.indexOf(g) : -1;
    if (i >= 0) { root = i; draw(); }
  });
  byId("frames").addEventListener("mouseover", (/** @type {Event} */ e) => {
    const g = /** @type {Element} */ (e.target).closest("g");
    const i = g ? groups.indexOf(g) : -1;
    if (i >= 0) byId("detail").textContent = titles[i].split("\n").join("   ");
  });
  window.addEventListener("keydown", (e) => {
    if (e.ctrlKey && e.key !== "f" || e.metaKey || e.altKey) return;
    if (e.key === "Escape" || e.key === "0") { root = 0; pattern = ""; }
    else if (e.key === "w") mode = (mode + 1) % MODES.length;
    else if (e.key >= "1" && e.key <= "4") mode = Number(e.key) - 1;
    else if (e.key === "o") sorted = !sorted;
    else if (e.key === "/" || e.key === "f") { e.preventDefault(); search(); return; }
    else return;
    draw();
  });
})();
