// Does a person see what a run takes, keep it, and let it go?

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import path from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";

import { ask } from "../support/editor.mjs";
import { close, signIn } from "../support/person.mjs";
import { Run } from "../support/run.mjs";
import { FOLDERS, Server } from "../support/server.mjs";
import { story } from "../support/story.mjs";

const step = story();
const run = promisify(execFile);
let server;
let page;

before(async () => {
  await mkdir(FOLDERS, { recursive: true });
  const data = await mkdtemp(path.join(FOLDERS, "data-"));
  await writeFile(path.join(data, "fletchline.toml"), "keep_runs = 1\n");
  server = await Server.start({ data });
  page = await signIn(server.link);
});

after(async () => {
  await close();
  await server?.remove();
});

const line = (number) => page.getByRole("row", { name: new RegExp(`^Run ${number} `) });

async function choose(number, item) {
  await page.getByRole("button", { name: `More for run ${number}` }).click();
  await page.getByRole("menuitem", { name: item }).click();
}

step("a pinned run says so and keeps its data beside a newer one", async () => {
  await page.getByRole("button", { name: "New from example Files" }).click();
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await page.getByRole("heading", { name: "Run 1" }).waitFor();
  await new Run(page).untilRun("Done");
  await choose(1, "Pin");
  await page.getByRole("banner").getByText("Pinned").waitFor({ state: "attached" });
  await page.getByRole("button", { name: "Run again" }).click();
  await page.getByRole("heading", { name: "Run 2" }).waitFor();
  await new Run(page).untilRun("Done");
  await page.goto(`${server.origin}/runs`);
  await line(1).getByText("Pinned").waitFor({ state: "attached" });
  for (const number of [1, 2]) await line(number).getByText(/^\d+(\.\d+)? KiB$/).waitFor();
});

step("a run that is not pinned any more makes room, and its line and its page say that its data is gone", async () => {
  await choose(1, "Unpin");
  await line(1).getByText("data is gone").waitFor();
  assert.equal(await line(1).getByText("Pinned").count(), 0);
  await page.getByRole("link", { name: "Run 1" }).click();
  await page.getByRole("banner").getByText("Its data is gone.").waitFor();
  await page.goBack();
});

step("deleting a run says what goes, how much, and what stays for whom", async () => {
  await choose(1, "Delete…");
  const dialog = page.getByRole("dialog", { name: "Delete run 1 of Files?" });
  await dialog.getByText(/This removes the run with results and logs of 3 executions, \d/).waitFor();
  await dialog.getByText("run 2 has read Load files of it, which stays").waitFor();
  await dialog.getByRole("button", { name: "Cancel" }).click();
  await dialog.waitFor({ state: "detached" });
  await line(1).waitFor();
  await choose(1, "Delete…");
  await dialog.getByRole("button", { name: "Delete" }).click();
  await page.getByText("run 1 of Files was deleted").waitFor();
  await line(1).waitFor({ state: "detached" });
  await line(2).waitFor();
});

step("a run that goes on is not deleted, and the dialog says why", async () => {
  const job = { id: "sleep", name: "Sleep", kind: "job", script: "sleep 600" };
  const document = { format: "fletchline/v1", id: "sleep", name: "Sleep", tasks: [job], arrows: [] };
  const { id } = await ask(page, "pipelines/create", { new: { from: "document", text: JSON.stringify(document) } });
  await page.goto(`${server.origin}/pipelines/${id}`);
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await page.getByRole("heading", { name: "Run 1" }).waitFor();
  await choose(1, "Delete…");
  const dialog = page.getByRole("dialog", { name: "Delete run 1 of Sleep?" });
  await dialog.getByText("it has not ended").waitFor();
  assert.ok(await dialog.evaluate((dialog) => dialog.matches(":modal")), "it lies over the page");
  assert.ok(await dialog.getByRole("button", { name: "Delete" }).isDisabled());
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Cancel run" }).click();
  await new Run(page).untilRun("Cancelled");
});

step("a run is deleted from its own page, which leads back to the list", async () => {
  await choose(1, "Delete…");
  const dialog = page.getByRole("dialog", { name: "Delete run 1 of Sleep?" });
  await dialog.getByRole("button", { name: "Delete" }).click();
  await page.getByRole("heading", { name: "Runs", exact: true }).waitFor();
  await line(2).waitFor();
  assert.equal(await page.getByRole("link", { name: "Sleep" }).count(), 0);
  assert.deepEqual(page.problems, []);
});

test("whoever presses Run on a disk that is nearly full is told what is largest", async (context) => {
  const data = await mkdtemp(path.join(FOLDERS, "full-"));
  try {
    await run("mount", ["-t", "tmpfs", "-o", "size=64m", "tmpfs", data]);
  } catch (error) {
    return context.skip(`a small disk needs the right to mount one: ${error.stderr}`);
  }
  const full = await Server.start({ data, warnFreePercent: 10 });
  try {
    const page = await signIn(full.link);
    await page.getByRole("button", { name: "New from example Files" }).click();
    await page.getByRole("button", { name: "Run", exact: true }).waitFor();
    await writeFile(path.join(data, "ballast"), Buffer.alloc(59 << 20));
    await page.getByRole("button", { name: "Run", exact: true }).click();
    const dialog = page.getByRole("dialog", { name: "Run" });
    await dialog.getByText(/^Only .* of 64 MiB are free where results lie/).waitFor();
    await dialog.getByRole("link", { name: "Files" }).click();
    await page.getByRole("heading", { name: "Runs", exact: true }).waitFor();
    await page.goBack();
    await page.getByRole("button", { name: "Run", exact: true }).click();
    await dialog.getByRole("button", { name: "Start run" }).click();
    await page.getByRole("heading", { name: "Run 1" }).waitFor();
  } finally {
    await full.end();
    await run("umount", [data]);
    await full.remove();
  }
});
