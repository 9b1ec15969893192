// Does every gesture on the canvas do in a real browser what it should?

import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";

import { Editor } from "../support/editor.mjs";
import { close, signIn } from "../support/person.mjs";
import { Server } from "../support/server.mjs";

let server;
let page;
let editor;

before(async () => {
  server = await Server.start();
});

beforeEach(async () => {
  page = await signIn(await server.anotherLink());
  editor = await Editor.create(page, "Gestures");
  await editor.add("Job", { x: 150, y: 150 });
  await editor.rename("First");
  await editor.add("Job", { x: 450, y: 150 });
  await editor.rename("Second");
});

afterEach(async () => {
  assert.deepEqual(page.problems, []);
  await page.context().close();
});

after(async () => {
  await close();
  await server?.remove();
});

const names = (document) => JSON.parse(document).tasks.map((task) => task.name).sort();
const selected = () => page.locator("[data-task][aria-pressed=true]").count();

/** From one point of the canvas to another, as a hand does. */
async function drag(from, to, options = {}) {
  const canvas = await editor.canvas.boundingBox();
  await page.mouse.move(canvas.x + from.x, canvas.y + from.y);
  await page.mouse.down(options);
  await page.mouse.move(canvas.x + to.x, canvas.y + to.y, { steps: 5 });
  await page.mouse.up(options);
}

async function until(what, expected) {
  const end = Date.now() + 10_000;
  let found = await what();
  while (JSON.stringify(found) !== JSON.stringify(expected) && Date.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    found = await what();
  }
  assert.deepEqual(found, expected);
}

test("the canvas and its map follow the theme, also when nothing else changes", async () => {
  const colours = () =>
    page.locator(".canvas-surface, .canvas-minimap canvas").evaluateAll((all) => all.map((canvas) => canvas.toDataURL()));
  const rested = async () => {
    await new Promise((resolve) => setTimeout(resolve, 300));
    return colours();
  };
  const light = await rested();
  await page.emulateMedia({ colorScheme: "dark" });
  const dark = await rested();
  dark.forEach((picture, at) => assert.notEqual(picture, light[at]));
  await page.emulateMedia({ colorScheme: "light" });
  await until(colours, light);
});

test("a ring shows that the canvas has the focus by the keyboard, and none when it was pressed", async () => {
  const ring = () => editor.canvas.evaluate((canvas) => getComputedStyle(canvas, "::after").borderTopWidth);
  await editor.inspector.getByLabel("Name of the task").fill("Second one");
  await editor.canvas.click({ position: { x: 450, y: 150 } });
  assert.equal(await ring(), "0px");
  await editor.inspector.getByLabel("Name of the task").press("End");
  await editor.canvas.focus();
  assert.equal(await ring(), "2px");
});

test("a task is dragged, and the move is one step", async () => {
  const before = await editor.saved();
  await drag({ x: 150, y: 150 }, { x: 190, y: 310 });
  const moved = await editor.saved();
  assert.notEqual(moved, before);
  await editor.button("Undo").click();
  await until(() => editor.saved(), before);
  await editor.button("Redo").click();
  await until(() => editor.saved(), moved);
});

test("a frame takes what it touches, and all of it is moved, copied, pasted, duplicated and deleted together", async () => {
  await page.keyboard.down("Shift");
  await drag({ x: 20, y: 60 }, { x: 560, y: 260 });
  await page.keyboard.up("Shift");
  await until(selected, 2);
  await page.keyboard.press("ControlOrMeta+c");
  await page.keyboard.press("ControlOrMeta+v");
  await until(async () => names(await editor.saved()).length, 4);
  await until(selected, 2);
  await page.keyboard.press("ControlOrMeta+d");
  await until(async () => names(await editor.saved()).length, 6);
  await page.keyboard.press("Delete");
  await until(async () => names(await editor.saved()).length, 4);
  await page.keyboard.press("ControlOrMeta+a");
  await page.keyboard.press("ControlOrMeta+x");
  await until(async () => names(await editor.saved()), []);
  await page.keyboard.press("ControlOrMeta+v");
  await until(async () => names(await editor.saved()).length, 4);
});

test("where nothing on the page has the focus, keys are the canvas's", async () => {
  await page.evaluate(() => document.activeElement.blur());
  await page.keyboard.press("ControlOrMeta+a");
  await until(selected, 2);
  await page.evaluate(() => document.activeElement.blur());
  await page.keyboard.press("Delete");
  await until(async () => names(await editor.saved()), []);
});

test("deleting a task takes its arrows along, and undo brings both back", async () => {
  await editor.connect("First", "Second", "/out", "/in");
  const drawn = await editor.saved();
  await editor.select("First");
  await page.keyboard.press("Delete");
  await until(async () => JSON.parse(await editor.saved()).arrows, []);
  await editor.button("Undo").click();
  await until(() => editor.saved(), drawn);
});

test("an arrow that would close a circle is refused with a sentence, and nothing is changed", async () => {
  await editor.connect("First", "Second", "/out", "/in");
  const drawn = await editor.saved();
  await editor.dragArrow("Second", "First");
  await page.getByRole("status").getByText(/circle/).waitFor({ state: "attached" });
  assert.equal(await editor.saved(), drawn);
});

test("the wheel zooms, empty canvas pans, and everything can be shown again", async () => {
  const before = await editor.place("First");
  const canvas = await editor.canvas.boundingBox();
  await page.mouse.move(canvas.x + 300, canvas.y + 400);
  await page.mouse.wheel(0, -300);
  await until(async () => (await page.getByRole("group", { name: "Zoom" }).textContent()).includes("100 %"), false);
  await drag({ x: 300, y: 500 }, { x: 500, y: 600 });
  await until(async () => (await editor.place("First")).left !== before.left, true);
  await page.getByRole("button", { name: "Show everything" }).click();
  const shown = async () => (await editor.place("First")).left > canvas.x && (await editor.place("Second")).right < canvas.x + canvas.width;
  await until(shown, true);
});

test("a right click offers what can be done there", async () => {
  await editor.card("First").click({ button: "right" });
  await page.getByRole("menuitem", { name: "Duplicate" }).click();
  await until(async () => names(await editor.saved()).length, 3);
  const canvas = await editor.canvas.boundingBox();
  await page.mouse.click(canvas.x + 300, canvas.y + 450, { button: "right" });
  await page.getByRole("menuitem", { name: "Add a note" }).click();
  await page.waitForFunction(() => document.activeElement.dataset.field === "text");
  await page.keyboard.type("Look here");
  await until(async () => JSON.parse(await editor.saved()).notes.map((note) => note.text), ["Look here"]);
});

test("what one tab saves comes into the other, as a step that can be undone there", async () => {
  const other = await anotherTab("First");
  await editor.select("First");
  await editor.rename("Changed");
  const changed = await editor.saved();
  await other.card("Changed").waitFor({ state: "attached" });
  await until(() => other.saved(), changed);
  await other.button("Undo").click();
  await editor.card("First").waitFor({ state: "attached" });
  await other.page.close();
});

test("what a tab has not saved yet is its own: another tab opens what is saved, and gets the rest when it is", async () => {
  const before = await editor.saved();
  const release = await holdSaves();
  await editor.rename("Drafted");
  const other = await anotherTab("Second");
  assert.equal(await other.saved(), before);
  assert.equal(await other.card("Drafted").count(), 0);
  await editor.select("First");
  await editor.rename("Drafted, too");
  release();
  const drafted = await editor.saved();
  await other.card("Drafted, too").waitFor({ state: "attached" });
  await until(() => other.saved(), drafted);
  assert.equal(await page.getByRole("dialog").count() + (await other.page.getByRole("dialog").count()), 0);
  await other.page.close();
});

test("what a tab had not saved when it was closed goes on in the next one, while a third has the pipeline open", async () => {
  await editor.saved();
  const third = await anotherTab("Second");
  await holdSaves();
  await editor.rename("Drafted");
  const { problems } = page;
  await third.page.waitForTimeout(1000);
  assert.equal(await third.card("Drafted").count(), 0);
  const next = await anotherTab("First", async () => {
    await page.close();
    // A browser sees only after a moment that a tab is gone and what it held is free.
    await third.page.waitForFunction(async () => (await navigator.locks.query()).held.length === 1);
  });
  await next.card("Drafted").waitFor({ state: "attached" });
  await third.card("Drafted").waitFor({ state: "attached" });
  await until(() => third.saved(), await next.saved());
  await next.button("Undo").click();
  await third.card("Second").waitFor({ state: "attached" });
  assert.deepEqual(problems, []);
});

test("a save whose answer was lost is nobody else's", async () => {
  await editor.saved();
  let lost = 0;
  await page.route("**/api/pipelines/save", async (route) => {
    if (lost > 0) return route.continue();
    lost += 1;
    await route.fetch();
    await route.abort();
  });
  await editor.rename("Twice");
  await page.getByRole("banner").getByText("Kept in this browser").waitFor();
  assert.deepEqual(names(await editor.saved()), ["First", "Twice"]);
  assert.equal(await page.getByRole("dialog").count(), 0);
  // Expected here: the browser itself writes down an answer that is none, and one that is no success.
  page.problems = page.problems.filter((problem) => !/net::ERR_FAILED|409 \(Conflict\)/.test(problem));
});

/** The same pipeline in one more tab, opened after `meanwhile`, once it shows this card. */
async function anotherTab(name, meanwhile = () => {}) {
  const [other, url] = [new Editor(await page.context().newPage()), page.url()];
  await meanwhile();
  await other.page.goto(url);
  await other.card(name).waitFor({ state: "attached" });
  return other;
}

/** The server hears of no save of the first tab until the answer is called. */
async function holdSaves() {
  let release;
  const held = new Promise((resolve) => (release = resolve));
  await page.route("**/api/pipelines/save", async (route) => {
    await held;
    await route.continue();
  });
  return release;
}

test("Run is refused with the sentence of the first problem and a button that leads to it", async () => {
  await page.getByRole("button", { name: "Run", exact: true }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByText("This has to be mended first:").waitFor();
  assert.ok(await dialog.getByRole("button", { name: "Start run" }).isDisabled());
  await dialog.getByRole("button", { name: "Show" }).first().click();
  await page.waitForFunction(() => document.activeElement.closest(".inspector") !== null);
});

test("a file dropped on a Load Data becomes its source, and one dropped beside it says where to drop it", async () => {
  await editor.add("Load Data", { x: 150, y: 350 });
  await editor.rename("Numbers");
  const card = await editor.place("Numbers");
  assert.ok(await dropFile(card.left + 40, card.middle, "dragover"), "the browser would leave the page for the file");
  await dropFile(card.left - 40, card.middle);
  await page.getByText("Drop the file on a Load Data task").waitFor();
  await dropFile(card.left + 40, card.middle);
  const sources = async () => JSON.parse(await editor.saved()).tasks.find((task) => task.name === "Numbers").sources ?? [];
  await until(async () => (await sources()).length, 1);
  assert.match((await sources())[0].url, /^upload:[0-9a-f]{64}\/numbers\.csv$/);
  await editor.button("Undo").click();
  await until(async () => (await sources()).length, 0);
});

/** Lets a small file go over a point of the window, or only holds it there. Answers whether the page took the event. */
function dropFile(x, y, what = "drop") {
  return page.evaluate(
    ([x, y, what]) => {
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File(["1,2\n"], "numbers.csv"));
      const how = { dataTransfer, clientX: x, clientY: y, bubbles: true, cancelable: true };
      return !document.elementFromPoint(x, y).dispatchEvent(new DragEvent(what, how));
    },
    [x, y, what],
  );
}
