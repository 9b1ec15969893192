// How does a person draw a pipeline with mouse and keyboard?

import assert from "node:assert/strict";

/** The editor's page. Everything goes by what a person sees and a screen reader reads out. */
export class Editor {
  constructor(page) {
    this.page = page;
    this.palette = page.getByLabel("Palette", { exact: true });
    this.inspector = page.getByLabel("Inspector", { exact: true });
    this.canvas = page.getByRole("application");
  }

  /** From the list of pipelines to a new empty one. */
  static async create(page, name) {
    await page.getByRole("button", { name: "New pipeline", exact: true }).click();
    const editor = new Editor(page);
    await editor.canvas.waitFor();
    await editor.write(page.getByLabel("Name of the pipeline"), name);
    return editor;
  }

  /** Drags a kind onto the canvas; `at` in CSS pixels from its upper left corner. The new task is selected. */
  async add(kind, at) {
    const item = await this.palette.getByRole("button", { name: kind, exact: true }).boundingBox();
    const canvas = await this.canvas.boundingBox();
    const { mouse } = this.page;
    await mouse.move(item.x + 24, item.y + item.height / 2);
    await mouse.down();
    await mouse.move(canvas.x + at.x, canvas.y + at.y, { steps: 5 });
    await mouse.up();
    await this.inspector.getByLabel("Name of the task").waitFor();
  }

  /** The element that mirrors a task's card. */
  card(name) {
    return this.page.locator(`[data-task][aria-label^="${name}, "]`);
  }

  /** Where a card is in the window, once it has come to rest there. */
  async place(name) {
    await this.card(name).waitFor({ state: "attached" });
    const box = await this.card(name).boundingBox();
    return { left: box.x, right: box.x + box.width, middle: box.y + box.height / 2 };
  }

  async select(name) {
    await this.card(name).click();
    await this.page.locator(`[data-task][aria-label^="${name}, "][aria-pressed=true]`).waitFor({ state: "attached" });
  }

  /** Drags from one task's output to another's input; the answer is the form that asks for the paths. */
  async dragArrow(from, to) {
    const [start, end] = [await this.place(from), await this.place(to)];
    const { mouse } = this.page;
    await mouse.move(start.right, start.middle);
    await mouse.down();
    await mouse.move(end.left, end.middle, { steps: 6 });
    await mouse.up();
    return this.page.getByRole("form", { name: `New arrow ${from} → ${to}` });
  }

  async connect(from, to, fromPath, toPath, { writable = false } = {}) {
    const form = await this.dragArrow(from, to);
    await this.write(form.getByLabel("From Path"), fromPath);
    await this.write(form.getByLabel("To Path"), toPath);
    if (writable) await form.getByLabel("May write (RW)").check();
    await this.page.keyboard.press("Enter");
    await form.waitFor({ state: "detached" });
  }

  /** What the completion of a field offers. */
  async offers(field) {
    return field.evaluate((input) => [...input.list.options].map((option) => option.value));
  }

  /** Puts a text in place of a field's, as one types or pastes it. */
  async write(field, text) {
    await field.click();
    await this.page.keyboard.press("ControlOrMeta+a");
    await this.page.keyboard.press("Delete");
    await this.page.keyboard.insertText(text);
    assert.equal(await field.inputValue(), text);
  }

  /** A field of the inspector by its label. */
  field(label) {
    return this.inspector.getByLabel(label, { exact: true });
  }

  async fill(label, text) {
    await this.write(this.field(label), text);
  }

  async rename(name) {
    await this.fill("Name of the task", name);
  }

  async addFile(name, text) {
    const names = this.inspector.getByLabel("File name");
    await this.inspector.getByRole("button", { name: "Add file: Files" }).click();
    await names.waitFor();
    await this.write(names, name);
    await this.write(this.inspector.getByLabel("Text of the file"), text);
  }

  async addVariable(name, value) {
    await this.fill("New variable", name);
    await this.page.keyboard.press("Enter");
    await this.fill(`Value of ${name}`, value);
  }

  async zoomOut(times) {
    for (let time = 0; time < times; time += 1) await this.page.getByRole("button", { name: "Zoom out" }).click();
  }

  button(name) {
    return this.page.getByRole("button", { name, exact: true });
  }

  /** The document as the server has it, once everything is saved. */
  async saved() {
    await this.page.locator(".saved:text-is('Saved')").waitFor();
    return this.document();
  }

  async document() {
    const id = new URL(this.page.url()).pathname.split("/").pop();
    return (await ask(this.page, "pipelines/open", { id })).document;
  }

  /** The keyboard is the canvas'. */
  async focus() {
    await this.canvas.focus();
  }

  async undoAll() {
    await this.focus();
    while (await this.button("Undo").isEnabled()) await this.page.keyboard.press("ControlOrMeta+z");
  }

  async redoAll() {
    await this.focus();
    while (await this.button("Redo").isEnabled()) await this.page.keyboard.press("ControlOrMeta+Shift+z");
  }
}

/** Asks a server function as the page does. */
export function ask(page, name, body = {}) {
  return page.evaluate(
    async ([name, body]) => {
      const headers = { "content-type": "application/json" };
      const answer = await fetch(`/api/${name}`, { method: "POST", headers, body: JSON.stringify(body) });
      if (!answer.ok) throw new Error(`${name}: ${answer.status} ${await answer.text()}`);
      return answer.json();
    },
    [name, body],
  );
}
