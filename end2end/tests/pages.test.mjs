// Does every page show itself, in light and dark, without an error on the console?

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { ask } from "../support/editor.mjs";
import { close, picture, signIn } from "../support/person.mjs";
import { Run } from "../support/run.mjs";
import { Server } from "../support/server.mjs";

let server;
let pages;

before(async () => {
  server = await Server.start();
  const page = await signIn(server.link);
  await page.getByRole("button", { name: "New from example Files" }).click();
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await page.getByRole("heading", { name: "Run 1" }).waitFor();
  await new Run(page).untilRun("Done", 120_000);
  const [run] = await ask(page, "runs/list", { filter: { pipeline: null, status: null, text: "", before: null } });
  pages = [
    ["/", "heading", "Pipelines"],
    [`/pipelines/${run.pipeline}`, "application", /^Pipeline: \d tasks/],
    ["/runs", "link", "Run 1"],
    [`/runs/${run.id}`, "heading", "Run 1"],
    ["/services", "heading", "Services"],
    ["/settings", "heading", "Settings"],
    ["/nonsense", "link", "Go to your pipelines"],
  ];
  await page.context().close();
});

after(async () => {
  await close();
  await server?.remove();
});

/** 0 is black, 255 white: what the page paints behind everything. */
const brightness = (page) =>
  page.evaluate(() => {
    const colour = getComputedStyle(document.body).backgroundColor.match(/\d+/g).map(Number);
    return (colour[0] + colour[1] + colour[2]) / 3;
  });

for (const colorScheme of ["light", "dark"]) {
  test(`every page shows itself in ${colorScheme} colours without an error`, async () => {
    const page = await signIn(await server.anotherLink(), { colorScheme });
    for (const [path, role, name] of pages) {
      await page.goto(server.origin + path);
      await page.getByRole(role, { name }).first().waitFor();
      const bright = await brightness(page);
      assert.ok(colorScheme === "dark" ? bright < 64 : bright > 192, `${path}: ${bright}`);
      assert.deepEqual(page.problems, [], path);
    }
    await page.context().close();
  });
}

test("a person's own choice of colours wins over the system's and survives a reload", async () => {
  const page = await signIn(await server.anotherLink(), { colorScheme: "light" });
  await page.getByRole("button", { name: "Dark colours" }).click();
  assert.ok((await brightness(page)) < 64);
  await page.reload();
  await page.getByRole("button", { name: "Light colours" }).waitFor();
  assert.ok((await brightness(page)) < 64);
  await page.context().close();
});

test("the list shows pipelines with their last run", async () => {
  const page = await signIn(await server.anotherLink());
  await page.getByRole("row", { name: /Files/ }).getByText("Done").waitFor();
  await page.getByLabel("Search pipelines").fill("no such");
  await page.getByText("No pipeline has this in its name.").waitFor();
  await page.getByLabel("Search pipelines").fill("");
  await picture(page, "pipelines");
  assert.deepEqual(page.problems, []);
});
