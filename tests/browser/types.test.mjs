// The page's scripts hold what their comments say of types.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { test } from "node:test";
import { root } from "./pages.mjs";

test("scripts are sound by their types", () => {
  const tsc = createRequire(import.meta.url).resolve("typescript/bin/tsc");
  const page = root + "src/render/html/page/app.js", svg = root + "src/render/flame/flame_svg.js";
  const run = spawnSync(process.execPath, [tsc, "--noEmit", "--allowJs", "--checkJs", "--target", "es2022", "--module", "es2022", "--moduleResolution", "bundler", "--strictNullChecks", "--lib", "es2022,dom,dom.iterable", page, svg], { encoding: "utf8" });
  assert.equal(run.stdout, "");
  assert.equal(run.status, 0);
});
