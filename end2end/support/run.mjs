// How does a person watch a run and act in it?

/** The first start of a Python kind may install its programs. */
export const PATIENCE = 300_000;

export class Run {
  constructor(page) {
    this.page = page;
    this.panel = page.getByLabel("Chosen task", { exact: true });
  }

  /** Waits until a card says one of `words` ("Your turn", "Done"). */
  async until(task, words, timeout = PATIENCE) {
    const said = (label) => `[data-task][aria-label^="${task}, "][aria-label*=", ${label}"]`;
    await this.page.locator([words].flat().map(said).join(", ")).first().waitFor({ state: "attached", timeout });
  }

  /** Waits until the whole run says `word`. */
  async untilRun(word, timeout = PATIENCE) {
    await this.page.getByRole("banner").getByText(word, { exact: true }).waitFor({ timeout });
  }

  async select(task) {
    await this.page.locator(`[data-task][aria-label^="${task}, "]`).click();
    await this.panel.getByRole("heading", { name: task }).waitFor();
  }

  /** Presses a button of a task's panel that opens a page, and answers with that page. */
  async open(task, button) {
    await this.select(task);
    const press = () => this.panel.getByRole("button", { name: button }).click();
    const [opened] = await Promise.all([this.page.context().waitForEvent("page"), press()]);
    await opened.waitForURL((url) => url.protocol === "http:" && !url.pathname.startsWith("/.fletchline/"));
    return opened;
  }

  async press(task, button) {
    await this.select(task);
    await this.panel.getByRole("button", { name: button, exact: true }).click();
  }
}

/** JupyterLab in a tab of its own, with a notebook open. */
export class Lab {
  constructor(page) {
    this.page = page;
    this.cells = page.locator(".jp-NotebookPanel:visible .jp-Cell");
  }

  static async of(page) {
    const lab = new Lab(page);
    await lab.cells.first().waitFor({ timeout: 60_000 });
    // Before that, running a cell asks for a kernel.
    await page.getByText(/Python 3 .*\| Idle/).waitFor({ timeout: 60_000 });
    return lab;
  }

  async runAll() {
    await this.page.getByRole("menuitem", { name: "Run", exact: true }).click();
    await this.page.getByRole("menuitem", { name: "Run All Cells", exact: true }).click();
  }

  /** Writes a new cell below the last one and runs it. */
  async runNew(text) {
    await this.cells.last().click();
    await this.page.keyboard.press("Escape");
    await this.page.keyboard.press("b");
    await this.page.keyboard.press("Enter");
    await this.page.keyboard.insertText(text);
    await this.page.keyboard.press("Shift+Enter");
  }

  async shows(text) {
    await this.page.locator(".jp-OutputArea-output", { hasText: text }).first().waitFor({ state: "attached", timeout: 60_000 });
  }

  /** Saves, and waits until the file has `text`. */
  async save(text) {
    await this.page.keyboard.press("ControlOrMeta+s");
    await this.page.waitForFunction(
      async (text) => (await (await fetch("/api/contents/explore.ipynb?format=text&type=file")).json()).content.includes(text),
      text,
      { timeout: 30_000, polling: 200 },
    );
  }
}
