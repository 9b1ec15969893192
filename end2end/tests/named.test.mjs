// How does a browser that came by the server's name reach the page of a task?

import assert from "node:assert/strict";
import { mkdtemp, writeFile } from "node:fs/promises";
import path from "node:path";
import { after, before, test } from "node:test";

import { ask } from "../support/editor.mjs";
import { close, signIn } from "../support/person.mjs";
import { Run } from "../support/run.mjs";
import { FOLDERS, Server, freePort } from "../support/server.mjs";

const NAME = "fletchline.example";
const WEB = {
  id: "web",
  name: "Web",
  kind: "container",
  ports: [{ port: 8123 }],
  command: ["python3", "-m", "http.server", "--bind", "127.0.0.1", "8123"],
};

let server;

before(async () => {
  const data = await mkdtemp(path.join(FOLDERS, "data-"));
  server = new Server(data);
  server.port = await freePort();
  await writeFile(path.join(data, "fletchline.toml"), `public_url = "http://${NAME}:${server.port}"\n`);
  await server.up();
});

after(async () => {
  await close();
  await server?.remove();
});

test("it is told first which tunnel leads there, and then the page opens", async () => {
  const page = await signIn(server.link);
  assert.equal(new URL(page.url()).hostname, NAME);
  const text = JSON.stringify({ format: "fletchline/v1", id: "web", name: "Web", tasks: [WEB], arrows: [] });
  const { id } = await ask(page, "pipelines/create", { new: { from: "document", text } });
  await page.goto(`${server.origin}/pipelines/${id}`);
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await page.getByRole("heading", { name: "Run 1" }).waitFor();
  const run = new Run(page);
  await run.until("Web", "Your turn");
  await run.press("Web", "Open port 8123");
  const dialog = page.getByRole("dialog", { name: "Open a tunnel first" });
  await dialog.getByText(`ssh -N -L ${server.port}:127.0.0.1:${server.port} ${NAME}`).waitFor();
  const opening = page.context().waitForEvent("page");
  // Here the way is there already: the browser's own machine is the server's.
  await dialog.getByRole("button", { name: "Open", exact: true }).click();
  const opened = await opening;
  await opened.getByText("Directory listing for /").first().waitFor();
  assert.match(new URL(opened.url()).hostname, /^web-.*\.localhost$/);
  // The browser says of plain HTTP by a name that it ignores one of our headers.
  assert.deepEqual(page.problems.filter((problem) => !problem.includes("Cross-Origin-Opener-Policy")), []);
});
