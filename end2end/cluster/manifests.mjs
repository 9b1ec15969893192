// Does the page show what a cluster would get of a task, as it is in the editor?
//
// Started by the tests on a cluster with a link to a server whose tasks run there.

import assert from "node:assert/strict";

import { Editor } from "../support/editor.mjs";
import { close, showAll, signIn } from "../support/person.mjs";

try {
  const page = await signIn(process.argv[2], { permissions: ["clipboard-read", "clipboard-write"] });
  const editor = await Editor.create(page, "Manifests");
  await editor.add("Job", { x: 200, y: 150 });
  await editor.fill("Command", "true");
  await editor.saved();
  // What is not saved counts.
  await page.route("**/api/pipelines/save", (route) => route.abort());
  await editor.rename("Shown");
  await editor.fill("Image", "registry.example.org/shown:1");
  await editor.inspector.getByRole("tab", { name: "YAML" }).click();
  const text = editor.inspector.locator("pre", { hasText: "image: registry.example.org/shown:1\n" });
  await text.waitFor();
  const shown = await text.textContent();
  assert.match(shown, /^---\n/);
  assert.match(shown, /kind: Pod\n/);
  await editor.inspector.getByRole("button", { name: "Copy" }).click();
  await page.getByText("Copied").waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), shown);
  // Long lines are scrolled in their own box.
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.equal(wide, 0);
  await editor.button("Undo").click();
  await text.waitFor({ state: "detached" });
  await editor.add("Volume", { x: 200, y: 350 });
  assert.equal(await editor.inspector.getByRole("tab", { name: "YAML" }).count(), 0);
  assert.deepEqual(page.problems.filter((problem) => !problem.includes("/api/pipelines/save")), []);
} catch (error) {
  await showAll("manifests");
  throw error;
} finally {
  await close();
}
