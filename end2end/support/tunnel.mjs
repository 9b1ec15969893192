// How does a test reach the server as from another machine, by one `ssh -L`?

import { execFile, spawn } from "node:child_process";
import { copyFile, mkdir, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";

import { connects, freePort } from "./server.mjs";

const run = promisify(execFile);

/** An sshd of the test's own on loopback, with keys of its own, and one tunnel through it to `port`. */
export class Tunnel {
  static async to(port, folder) {
    const tunnel = new Tunnel();
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const file = (name) => path.join(folder, name);
    for (const key of ["host", "login"]) await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", file(key)]);
    await copyFile(file("login.pub"), file("authorized"));
    const door = await freePort();
    await writeFile(file("config"), config(door, file));
    // sshd wants this folder when root starts it; the distribution makes it at boot.
    if (process.getuid() === 0) await mkdir("/run/sshd", { recursive: true, mode: 0o755 });
    tunnel.sshd = spawn("/usr/sbin/sshd", ["-D", "-e", "-f", file("config")], { stdio: ["ignore", "ignore", "pipe"] });
    tunnel.said = "";
    tunnel.sshd.stderr.on("data", (chunk) => (tunnel.said += chunk));
    await connects(door, () => tunnel.said);
    tunnel.port = await freePort();
    tunnel.ssh = spawn("ssh", arguments_(door, tunnel.port, port, file), { stdio: ["ignore", "ignore", "pipe"] });
    tunnel.ssh.stderr.on("data", (chunk) => (tunnel.said += chunk));
    await connects(tunnel.port, () => tunnel.said);
    return tunnel;
  }

  close() {
    this.ssh?.kill();
    this.sshd?.kill();
  }
}

function config(port, file) {
  return [
    `Port ${port}`,
    "ListenAddress 127.0.0.1",
    `HostKey ${file("host")}`,
    `AuthorizedKeysFile ${file("authorized")}`,
    `PidFile ${file("pid")}`,
    "StrictModes no",
    "UsePAM no",
    "PasswordAuthentication no",
    "PermitRootLogin prohibit-password",
    "",
  ].join("\n");
}

function arguments_(door, from, to, file) {
  const known = ["UserKnownHostsFile=/dev/null", "StrictHostKeyChecking=no", "IdentitiesOnly=yes", "ExitOnForwardFailure=yes"];
  const options = known.flatMap((option) => ["-o", option]);
  const user = `${os.userInfo().username}@127.0.0.1`;
  return ["-N", "-F", "none", ...options, "-i", file("login"), "-p", String(door), "-L", `127.0.0.1:${from}:127.0.0.1:${to}`, user];
}
