// Can another page in the same browser read or start anything?

import assert from "node:assert/strict";
import http from "node:http";
import { after, before, test } from "node:test";
import { chromium } from "playwright-core";

import { FLAGS } from "../support/person.mjs";
import { Server } from "../support/server.mjs";

let server;
let evil;
let browser;
let page;

before(async () => {
  server = await Server.start();
  evil = http.createServer((_, response) => response.setHeader("content-type", "text/html").end("<title>evil</title>"));
  await new Promise((resolve) => evil.listen(0, "127.0.0.1", resolve));
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: FLAGS,
  });
  page = await (await browser.newContext()).newPage();
  await page.goto(server.link);
  await page.waitForURL((url) => !url.search.includes("code="));
});

after(async () => {
  await browser?.close();
  evil?.close();
  await server?.remove();
});

/** What a page at `origin` gets when it asks the product at `target` by every road a page has. */
async function attack(origin, target) {
  const tab = await page.context().newPage();
  await tab.goto(origin);
  const outcome = await tab.evaluate(async (target) => {
    const ask = async (path, options) => {
      try {
        const answer = await fetch(target + path, { credentials: "include", ...options });
        return { status: answer.status, text: await answer.text() };
      } catch (error) {
        return { status: 0, text: String(error) };
      }
    };
    const socket = new Promise((resolve) => {
      const live = new WebSocket(target.replace("http", "ws") + "/live");
      live.onopen = () => resolve("open");
      live.onerror = () => resolve("refused");
    });
    const body = JSON.stringify({ new: { from: "empty", name: "made by another page" } });
    return {
      read: await ask("/api/pipelines/list", { method: "POST", body: "{}", headers: { "content-type": "application/json" } }),
      make: await ask("/api/pipelines/create", { method: "POST", body, headers: { "content-type": "application/json" } }),
      simple: await ask("/api/pipelines/create", { method: "POST", body, mode: "no-cors", headers: { "content-type": "text/plain" } }),
      socket: await socket,
    };
  }, target);
  await tab.close();
  return outcome;
}

async function pipelines() {
  return page.evaluate(async () => {
    const options = { method: "POST", body: "{}", headers: { "content-type": "application/json" } };
    const answer = await fetch("/api/pipelines/list", options);
    return { status: answer.status, list: await answer.json() };
  });
}

test("our own page can ask, so that the refusals below mean something", async () => {
  const own = await pipelines();
  assert.equal(own.status, 200);
  assert.deepEqual(own.list, []);
});

test("a foreign page can read and start nothing", async () => {
  const outcome = await attack(`http://evil.example:${evil.address().port}/`, server.origin);
  assert.equal(outcome.read.status, 0, "the answer must not be readable");
  assert.equal(outcome.make.status, 0);
  assert.equal(outcome.socket, "refused");
  assert.deepEqual((await pipelines()).list, []);
});

test("a page on another port of this machine, which shares our cookies, can read and start nothing", async () => {
  const outcome = await attack(`http://127.0.0.1:${evil.address().port}/`, server.origin);
  assert.equal(outcome.read.status, 0);
  assert.equal(outcome.make.status, 0);
  assert.equal(outcome.socket, "refused");
  assert.deepEqual((await pipelines()).list, []);
});

test("a name that was rebound to this machine reaches nothing", async () => {
  const tab = await page.context().newPage();
  const answer = await tab.goto(`http://rebound.example:${server.port}/`);
  assert.ok([403, 421].includes(answer.status()), `${answer.status()}`);
  const asked = await tab.evaluate(async () => {
    const options = { method: "POST", body: "{}", headers: { "content-type": "application/json" } };
    return (await fetch("/api/pipelines/list", options)).status;
  });
  assert.ok([403, 421].includes(asked), `${asked}`);
  await tab.close();
});
