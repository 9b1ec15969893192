// Can one draw with the keyboard alone, and is nothing lost by a reload or a bad file?

import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";

import { Editor, ask } from "../support/editor.mjs";
import { close, signIn } from "../support/person.mjs";
import { Server } from "../support/server.mjs";

let server;
let page;

before(async () => {
  server = await Server.start();
});

beforeEach(async () => {
  page = await signIn(await server.anotherLink());
});

afterEach(async () => {
  assert.deepEqual(page.problems, []);
  await page.context().close();
});

after(async () => {
  await close();
  await server?.remove();
});

/** Goes on by Tab until the element with this name has the focus. */
async function tabTo(name) {
  const focused = () =>
    page.evaluate(() => document.activeElement.getAttribute("aria-label") ?? document.activeElement.textContent.trim());
  for (let step = 0; step < 80; step += 1) {
    if ((await focused()) === name) return;
    await page.keyboard.press("Tab");
  }
  throw new Error(`"${name}" cannot be reached by Tab`);
}

/** From the canvas' task to its form, the name first, and back. */
async function nameIt(name) {
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => document.activeElement.getAttribute("aria-label") === "Name of the task");
  await page.keyboard.press("ControlOrMeta+a");
  await page.keyboard.type(name);
}

test("a pipeline is drawn, named, connected, moved and undone with the keyboard alone", async () => {
  await tabTo("New pipeline");
  await page.keyboard.press("Enter");
  const editor = new Editor(page);
  await editor.canvas.waitFor();
  const empty = await editor.saved();
  await tabTo("Load Data");
  await page.keyboard.press("Enter");
  await tabTo("Job");
  await page.keyboard.press("Enter");
  await editor.focus();
  await page.keyboard.press("Escape");
  await page.keyboard.press("Tab");
  await nameIt("Get");
  await editor.focus();
  await page.keyboard.press("c");
  await page.keyboard.press("Enter");
  const form = page.getByRole("form", { name: "New arrow Get → Job" });
  await form.waitFor();
  await page.keyboard.press("Enter");
  await form.waitFor({ state: "detached" });
  const before = await editor.place("Get");
  await editor.focus();
  await page.keyboard.press("Escape");
  await page.keyboard.press("Tab");
  await page.keyboard.press("ArrowDown");
  const moved = async () => (await editor.place("Get")).middle > before.middle;
  await page.waitForFunction(() => document.querySelector(".saved").textContent === "Saved");
  assert.ok(await moved());
  const drawn = JSON.parse(await editor.saved());
  assert.deepEqual(drawn.arrows.map((arrow) => [arrow.from_path, arrow.to_path]), [["/data", "/data"]]);
  assert.deepEqual(drawn.tasks.map((task) => task.name).sort(), ["Get", "Job"]);
  await editor.undoAll();
  assert.equal(await editor.saved(), empty);
});

test("a document and its steps survive a reload of the page", async () => {
  const editor = await Editor.create(page, "Kept");
  await editor.add("Job", { x: 200, y: 200 });
  await editor.rename("Train");
  const drawn = await editor.saved();
  await page.reload();
  await editor.card("Train").waitFor({ state: "attached" });
  assert.equal(await editor.document(), drawn);
  await editor.undoAll();
  const back = JSON.parse(await editor.saved());
  assert.deepEqual([back.name, back.tasks], ["New pipeline", []]);
  await editor.redoAll();
  assert.equal(await editor.saved(), drawn);
});

test("a broken or foreign file in the list says what is wrong and where, and makes nothing", async () => {
  const count = async () => (await ask(page, "pipelines/list")).length;
  const before = await count();
  const bad = [
    ["broken.json", '{"format": "fletchline/v1",\n "name": }', /Line 2/],
    ["foreign.json", '{"nodes": []}', /not a Fletchline pipeline/],
    ["newer.json", '{"format": "fletchline/v99", "id": "a", "name": "a"}', /newer Fletchline/],
    ["broken.zip", "PK\u0003\u0004 and no more", /This file is damaged/],
    ["text.json", "no JSON at all", /Line 1/],
  ];
  for (const [name, text, sentence] of bad) {
    await page.getByLabel("Pipeline file").setInputFiles({ name, mimeType: "", buffer: Buffer.from(text) });
    await page.getByRole("status").getByText(sentence).waitFor();
    assert.equal(new URL(page.url()).pathname, "/");
    // Expected here: the browser itself writes down an answer that is no success.
    page.problems = page.problems.filter((problem) => !problem.includes("400 (Bad Request)"));
  }
  assert.equal(await count(), before);
});

test("a broken or foreign file in the editor says what is wrong and where, and changes nothing", async () => {
  const editor = await Editor.create(page, "Mine");
  await editor.add("Job", { x: 200, y: 200 });
  const mine = await editor.saved();
  await page.getByRole("tab", { name: "JSON" }).first().click();
  const file = page.getByLabel("Document to import");
  for (const [text, sentence] of [["{", /Line 1.*Nothing was changed/], ['{"nodes": []}', /not a Fletchline pipeline.*Nothing was changed/]]) {
    await file.setInputFiles({ name: "a.json", mimeType: "application/json", buffer: Buffer.from(text) });
    await page.getByRole("alert").getByText(sentence).waitFor();
  }
  assert.equal(await editor.saved(), mine);
  const other = mine.replace('"Mine"', '"Theirs"');
  await file.setInputFiles({ name: "a.json", mimeType: "application/json", buffer: Buffer.from(other) });
  await page.getByRole("status").getByText("taken in").waitFor();
  assert.equal(JSON.parse(await editor.saved()).name, "Theirs");
  await editor.undoAll();
  assert.equal(JSON.parse(await editor.saved()).name, "New pipeline");
});
