// How does a test get a server of its own?

import { spawn } from "node:child_process";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import net from "node:net";
import path from "node:path";

const BIN = process.env.FLETCHLINE_BIN ?? path.resolve(import.meta.dirname, "../../target/debug/fletchline");
// Not below /tmp, which every task has for itself.
export const FOLDERS = path.join(path.dirname(BIN), "end2end");
const LINK = /http:\/\/\S+\/link\?code=\S+/;

/** A server on a data folder of its own; it can be killed and started again on the same folder. */
export class Server {
  static async start(options = {}) {
    await mkdir(FOLDERS, { recursive: true });
    const data = options.data ?? (await mkdtemp(path.join(FOLDERS, "data-")));
    const server = new Server(data, options.warnFreePercent);
    await server.up();
    return server;
  }

  /** Run does not ask on a disk that is nearly full, unless it is what the test looks at. */
  constructor(data, warnFreePercent = 0) {
    this.data = data;
    this.warnFreePercent = warnFreePercent;
    this.port = 0;
  }

  async up() {
    const flags = ["--data", this.data, "--port", this.port, "--warn-free-percent", this.warnFreePercent];
    this.process = spawn(BIN, ["serve", ...flags.map(String)], { stdio: ["ignore", "pipe", "pipe"] });
    this.output = "";
    this.link = await new Promise((resolve, reject) => {
      const take = (chunk) => {
        this.output += chunk;
        const link = this.output.match(LINK);
        if (link) resolve(link[0]);
      };
      this.process.stdout.on("data", take);
      this.process.stderr.on("data", take);
      this.process.on("exit", (code) => reject(new Error(`the server ended with ${code}:\n${this.output}`)));
    });
    this.origin = new URL(this.link).origin;
    this.port = Number(new URL(this.link).port);
  }

  /** One more one-time link, for another browser. */
  async anotherLink() {
    const { stdout } = await fletchline(["link", "--data", this.data]);
    return stdout.match(LINK)[0];
  }

  /** As a power cut would. What it had launched goes on. */
  async kill() {
    const gone = new Promise((resolve) => this.process.on("exit", resolve));
    this.process.kill("SIGKILL");
    await gone;
  }

  /** Ends the server and everything it has launched. */
  async end() {
    await fletchline(["stop", "--all", "--data", this.data]).catch(() => {});
    if (this.process.exitCode === null && this.process.signalCode === null) await this.kill();
  }

  /** Ends it and removes its folder. */
  async remove() {
    await this.end();
    await rm(this.data, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Runs the command line to its end. */
export function fletchline(args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(BIN, args, { stdio: ["pipe", "pipe", "pipe"], ...options });
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (chunk) => (stdout += chunk));
    child.stderr.on("data", (chunk) => (stderr += chunk));
    child.on("error", reject);
    // When all that it has said is there, too.
    child.on("close", (code) => resolve({ code, stdout, stderr }));
    // One that reads nothing may have ended already; what became of it its code says.
    child.stdin.on("error", () => {});
    child.stdin.end(options.input ?? "");
  });
}

/** A port of this machine that nobody listens on. */
export async function freePort() {
  const holder = net.createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => holder.once("listening", resolve));
  const { port } = holder.address();
  await new Promise((resolve) => holder.close(resolve));
  return port;
}

/** Waits until a port of this machine takes connections; `said` tells what its program has said if it never does. */
export async function connects(port, said, patience = 20_000) {
  const end = Date.now() + patience;
  while (Date.now() < end) {
    const answered = await new Promise((resolve) => {
      const socket = net.connect(port, "127.0.0.1");
      socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
      socket.once("connect", () => socket.destroy());
    });
    if (answered) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`nobody listens on port ${port}: ${said()}`);
}
