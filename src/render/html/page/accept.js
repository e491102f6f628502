// @ts-check
// A review's decision goes back to the gate: a finding is accepted with a reason, and the block for
// heapdiff.toml is made.
import { el, copy } from "./dom.js";

/** A basic string of TOML. @param {string} text */
export function toml(text) {
  const escaped = text.replace(/[\\"]/g, "\\$&").replace(/[\u0000-\u001f\u007f]/g, (c) => "\\u" + c.charCodeAt(0).toString(16).padStart(4, "0"));
  return `"${escaped}"`;
}

/**
 * The block that accepts a finding.
 * @param {{lines: [string, string][]}} finding keys and values as the program prints them, without reason, owner and expiry
 * @param {{reason: string, expires: string, owner: string}} said
 */
export function block(finding, said) {
  const lines = finding.lines.map(([key, value]) => `${key} = ${value}`);
  lines.push(`reason = ${toml(said.reason)}`, `expires = ${said.expires}`);
  if (said.owner) lines.push(`owner = ${toml(said.owner)}`);
  return "[[suppress]]\n" + lines.join("\n") + "\n";
}

/** Asks for the reason and shows the block. @param {any} finding */
export function accept(finding) {
  const reason = el("input", { id: "accept-reason", required: true, size: 50 });
  const expires = el("input", { id: "accept-expires", type: "date", required: true });
  const owner = el("input", { id: "accept-owner", size: 20 });
  const out = el("pre", { id: "accept-block", tabindex: 0 });
  const done = el("button", { id: "accept-copy", type: "submit" }, "copy the block");
  const update = () => {
    const ready = reason.value.trim() !== "" && expires.value !== "";
    done.disabled = !ready;
    out.textContent = ready ? block(finding, { reason: reason.value.trim(), expires: expires.value, owner: owner.value.trim() }) : "A reason and a date are required.";
  };
  const form = el("form", { method: "dialog" },
    el("h2", { id: "accept-title" }, "Accept with a reason"), el("p", {}, finding.title),
    el("label", {}, "reason ", reason), el("label", {}, "expires ", expires), el("label", {}, "owner ", owner),
    el("p", {}, "For heapdiff.toml:"), out,
    el("div", { class: "controls" }, done, el("button", { type: "button", onclick: () => dialog.close() }, "cancel")));
  const dialog = el("dialog", { "aria-labelledby": "accept-title" }, form);
  for (const input of [reason, expires, owner]) input.addEventListener("input", update);
  form.addEventListener("submit", () => copy(out.textContent || ""));
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  update();
  dialog.showModal();
  reason.focus();
}
