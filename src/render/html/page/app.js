// @ts-check
// The page: its tabs, deep links, keys, theme and downloads. Everything that matters stands in the
// page already; this makes it handy.
import { el, byId, announce, save } from "./dom.js";
import { flame } from "./flame.js";
import { table } from "./table.js";
import { types } from "./types.js";
import { cycles } from "./cycles.js";
import { treemap } from "./treemap.js";
import { timeline } from "./timeline.js";
import { site } from "./site.js";
import { accept } from "./accept.js";

const KEYS = [
  ["1 to 9", "go to a page"], ["/", "search sites or types"], ["f", "to the flamegraph"], ["t", "to the table of sites or types"], ["arrow keys", "walk in the flamegraph or the table"],
  ["Enter", "zoom, open the site, or look into a box"], ["w", "next width of the flamegraph"], ["Esc", "back, or close"], ["d", "dark or light"], ["?", "these keys"],
];

export function start() {
  const view = JSON.parse(byId("view").textContent || "{}");
  const pages = Array.from(document.querySelectorAll("main > section[data-page]"));
  document.body.classList.add("scripted");
  /** @type {any} */ let graph = null;
  /** @type {any} */ let sites = null;
  /** @type {any} */ let kinds = null;
  /** @type {Set<string>} */ const drawn = new Set();
  const detail = el("div", { id: "detail" });

  // Tabs.
  const bar = byId("tabs");
  const tabs = pages.map((page, k) => el("button", {
    role: "tab", id: "tab-" + page.getAttribute("data-page"), "aria-controls": page.id, tabindex: -1,
    onclick: () => go({ page: page.getAttribute("data-page") || "" }),
    onkeydown: (/** @type {KeyboardEvent} */ e) => {
      const to = { ArrowRight: k + 1, ArrowLeft: k - 1, Home: 0, End: pages.length - 1 }[e.key];
      if (to === undefined) return;
      const next = tabs[(to + pages.length) % pages.length];
      next.focus();
      next.click();
      e.preventDefault();
    },
  }, page.querySelector("h2")?.textContent || ""));
  bar.setAttribute("role", "tablist");
  bar.replaceChildren(...tabs);
  for (const page of pages) {
    page.setAttribute("role", "tabpanel");
    page.setAttribute("aria-labelledby", "tab-" + page.getAttribute("data-page"));
  }

  /** @param {string} name */
  function show(name) {
    const known = pages.some((p) => p.getAttribute("data-page") === name) ? name : pages[0]?.getAttribute("data-page");
    pages.forEach((page, k) => {
      const here = page.getAttribute("data-page") === known;
      page.toggleAttribute("hidden", !here);
      tabs[k].setAttribute("aria-selected", String(here));
      tabs[k].tabIndex = here ? 0 : -1;
    });
    if (known) draw(known);
  }

  // A page's pictures are made when it is first looked at, or printed.
  /** @param {string} name */
  function draw(name) {
    if (name === "growth") grow();
    if (drawn.has(name)) return;
    drawn.add(name);
    if (name === "cycles" && view.cycles) cycles(view);
    if (name === "timeline" && view.series) timeline(view);
    if (name === "types" && view.types) {
      if (view.dominators) byId("treemap")?.append(treemap(view.dominators));
      const place = byId("types-live");
      if (!place || view.types.name.length === 0) return;
      byId("types-static")?.setAttribute("hidden", "");
      kinds = types(view);
      place.append(kinds.node);
    }
  }

  // The growth page is made when it is first looked at.
  function grow() {
    const place = byId("growth-live");
    if (graph || !place || !view.sites) return;
    byId("growth-static")?.setAttribute("hidden", "");
    graph = view.flame ? flame(view, (row) => go({ page: "growth", site: view.sites.id[row] })) : null;
    sites = table(view, (row) => go({ page: "growth", site: view.sites.id[row] }));
    place.append(...(graph ? [graph.node] : []), detail, sites.node);
  }

  /** @param {string} id */
  function openSite(id) {
    const ids = view.sites ? view.sites.id : [];
    let row = ids.indexOf(id);
    if (row < 0) row = ids.findIndex((/** @type {string} */ s) => s.split("#")[0] === id.split("#")[0]);
    if (row < 0) {
      announce("this report has no such site");
      return;
    }
    detail.replaceChildren(site(view, row, {
      toFlame: (r) => { graph?.show(r); graph?.focus(); },
      close: () => go({ page: "growth" }),
    }));
    sites?.show(row);
    graph?.show(row);
    detail.scrollIntoView({ block: "nearest" });
  }

  // Deep links: #page=growth&site=ID; a site alone is on the growth page.
  /** @param {Record<string, string>} to */
  function go(to) {
    const parts = Object.entries(to).filter(([, v]) => v).map(([k, v]) => `${k}=${encodeURIComponent(v)}`);
    location.hash = parts.join("&");
  }
  function follow() {
    const to = new URLSearchParams(location.hash.replace(/^#/, "").replace(/\+/g, "%2B"));
    const id = to.get("site");
    const page = to.get("page") || (id ? "growth" : "summary");
    show(page);
    if (id) openSite(id);
    else detail.replaceChildren();
    const anchor = to.get("finding") ? "finding-" + to.get("finding") : to.get("at");
    document.querySelectorAll(".here").forEach((n) => n.classList.remove("here"));
    const there = anchor ? byId(anchor) : null;
    there?.classList.add("here");
    for (let d = there?.closest("details"); d; d = d.parentElement?.closest("details")) d.open = true;
    there?.scrollIntoView();
  }
  window.addEventListener("hashchange", follow);

  // Findings: their sites, and acceptance.
  (view.findings || []).forEach((/** @type {any} */ f) => {
    const place = byId("finding-" + f.id)?.querySelector(".actions");
    if (!place) return;
    if (f.site) place.append(el("button", { onclick: () => go({ page: "growth", site: f.site }) }, "open the site"));
    if (f.place) place.append(el("button", { class: "show", onclick: () => { location.hash = f.place; } }, "show it"));
    place.append(el("button", { class: "accept", onclick: () => accept(f) }, "accept with a reason"));
  });

  // Theme, download, keys.
  const tools = byId("tools");
  const themes = ["auto", "light", "dark"];
  const theme = el("button", { id: "theme" }, "theme: auto");
  theme.addEventListener("click", () => {
    const next = themes[(themes.indexOf(document.documentElement.dataset.theme || "auto") + 1) % themes.length];
    document.documentElement.dataset.theme = next;
    theme.textContent = "theme: " + next;
    graph?.redraw();
  });
  const packed = byId("document");
  const download = packed ? el("button", { id: "download", onclick: () => unpack(packed.textContent || "") }, "download JSON") : null;
  const help = el("button", { id: "help", onclick: keys, "aria-label": "keys" }, "?");
  tools.append(...[download, theme, help].filter((n) => n !== null));

  window.addEventListener("keydown", (e) => {
    if (e.ctrlKey || e.metaKey || e.altKey || e.defaultPrevented) return;
    const target = /** @type {Element} */ (e.target);
    if (target.closest("input, select, textarea, dialog")) return;
    if (e.key === "?") keys();
    else if (e.key === "d") theme.click();
    else if ((e.key === "/" || e.key === "t") && !view.sites && pages.some((p) => p.id === "page-types")) {
      go({ page: "types" });
      show("types");
      if (e.key === "/") kinds?.search.focus();
      else kinds?.focus();
    } else if (e.key === "/" && view.sites) { go({ page: "growth" }); show("growth"); sites?.search.focus(); }
    else if (e.key === "f" && view.flame) { go({ page: "growth" }); show("growth"); graph?.focus(); }
    else if (e.key === "t" && view.sites) { go({ page: "growth" }); show("growth"); sites?.focus(); }
    else if (e.key === "Escape" && new URLSearchParams(location.hash.slice(1)).get("site")) go({ page: "growth" });
    else if (e.key >= "1" && e.key <= String(Math.min(9, tabs.length))) tabs[Number(e.key) - 1].click();
    else return;
    e.preventDefault();
  });
  window.addEventListener("beforeprint", () => {
    pages.forEach((page) => draw(page.getAttribute("data-page") || ""));
    document.querySelectorAll("details.more").forEach((d) => d.setAttribute("open", ""));
  });
  follow();
}

function keys() {
  const dialog = el("dialog", { "aria-labelledby": "keys-title" },
    el("h2", { id: "keys-title" }, "Keys"),
    el("dl", { class: "keys" }, ...KEYS.flatMap(([k, what]) => [el("dt", {}, el("kbd", {}, k)), el("dd", {}, what)])),
    el("form", { method: "dialog" }, el("button", { autofocus: true }, "close")));
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

/** The document as it was written, from its packed form. @param {string} base64 */
async function unpack(base64) {
  const bytes = Uint8Array.from(atob(base64.trim()), (c) => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  save("heapdiff.json", await new Response(stream).text(), "application/json");
}
