// The main job on real input, told step by step: a host, pods, the real shim, pings, kill -9, restart,
// several networks for a pod, clean-up, and what an ADD costs beside Debian's plugins. Run by `npm run demo` in a private node.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { styleText } from "node:util";
import {
  type HostProcess,
  openNode,
  type Pod,
  runInNetns,
  shimFile,
  spawnInNetns,
  type TestNode,
  until,
} from "../test/e2e/harness.ts";
import { showNetworks } from "./demo-networks.ts";
import { CLUSTER_IPS, dialService, manifestFolder, publishService } from "./demo-services.ts";

const repository = join(import.meta.dirname, "..");
const CLI = join(repository, "src/cli/patchbay.js");
const MEASURED_PODS = 30;
const COLOR = process.stdout.isTTY && !process.env["NO_COLOR"];
const startMs = performance.now();

if (process.env["PATCHBAY_PRIVATE_NODE"] !== "1") {
  throw new Error("Run it by `npm run demo`: it needs a private node");
}
say("A node of its own: new network, mount and pid namespaces; nothing of this machine is touched");
await using node = await openNode();
const hasNft = spawnSync("nft", ["--version"]).status === 0;
const conflist = await installAndStart(node);
const config = pluginConfig(conflist);

let host = await startHost(node);
const pods = await node.createPods(3);
say(`Three network namespaces as pods, and the shim executed as a container runtime would`);
for (const pod of pods) await add(node, pod);
print(await cli(["attachments", "--root", node.root]));

const [first, second, third] = pods as [Pod, Pod, Pod];
await pingAll(node, host, pods);
const stopServing = hasNft ? await showService(node) : () => {};

say("A TCP connection between two pods: a line every 20 ms, echoed");
const stream = await openEcho(node, second, first);
await until("ten echoed lines", 10_000, () => stream.echoed() >= 10);

say(`kill -9 of the host (pid ${host.pid})`);
await host.kill("SIGKILL");
if (hasNft) await dialAgain();
const atKill = stream.echoed();
await until("25 lines without a host", 10_000, () => stream.echoed() >= atKill + 25);
note(
  `${stream.echoed() - atKill} more lines went through with no host: pods do not need it to talk`,
);
await del(node, third);
note(`DEL of ${third.name} with no host: the shim wrote it down and said success`);

host = await startHost(node);
const status = await host.client.getStatus();
const kept = await host.client.listAttachments({});
require(kept.length === 2, `2 attachments after the restart, not ${kept.length}`);
require(status.journalPending === 0, "the DEL journal is empty");
note(`After the restart: ${kept.length} attachments are still known, the written DEL was replayed`);
const atRestart = stream.echoed();
await until("25 lines after the restart", 10_000, () => stream.echoed() >= atRestart + 25);
note(`The connection never broke: ${stream.echoed()} lines, ${stream.lost()} lost`);
require(stream.lost() === 0, "no line was lost");
await stream.close();
stopServing();
print(await cli(["check", "--root", node.root]));

await showNetworks(node, host.client, {
  ...{ say, note, require },
  add: (pod, runtimeConfig) => add(node, pod, { runtimeConfig }),
  del: (pod) => del(node, pod),
  show: async (...args) => print(await cli([...args, "--root", node.root])),
});

say("The pods are deleted, twice each, as runtimes do");
for (const pod of [first, second, first, second]) await del(node, pod);
await showNothingLeft(node, host);

await compareCost(node, host);
await host.kill("SIGTERM");
say(
  `Done in ${((performance.now() - startMs) / 1000).toFixed(1)} s. Next: README.md, \`npm test\`, \`npm run bench\``,
);

async function installAndStart(on: TestNode): Promise<string> {
  say("patchbay install: the shim into a CNI bin folder, the conflist into a CNI conf folder");
  if (!hasNft)
    note("nft is not installed: without masquerade, pods would not reach beyond the node");
  const places = ["--cni-bin-dir", join(on.root, "bin"), "--cni-conf-dir", join(on.root, "net.d")];
  const options = ["--root", on.root, ...places, ...(hasNft ? [] : ["--no-ip-masq"])];
  print(await cli(["install", ...options]));
  return join(on.root, "net.d", "10-patchbay.conflist");
}

async function startHost(on: TestNode): Promise<HostProcess> {
  const beganMs = performance.now();
  const services = ["--manifests", manifestFolder(on), "--node-name", "demo"];
  const started = await on.startHost({ args: ["--log-level", "warn", ...services] });
  say(
    `patchbay host: ready after ${(performance.now() - beganMs).toFixed(0)} ms, pid ${started.pid}`,
  );
  return started;
}

/** What libcni makes of a conflist for its first plugin. */
function pluginConfig(file: string): object {
  const list = JSON.parse(readFileSync(file, "utf8")) as {
    cniVersion: string;
    name: string;
    plugins: object[];
  };
  return { cniVersion: list.cniVersion, name: list.name, ...list.plugins[0] };
}

function callOf(pod: Pod, more: object = {}) {
  const args = `IgnoreUnknown=1;K8S_POD_NAMESPACE=demo;K8S_POD_NAME=${pod.name};K8S_POD_UID=${pod.name}`;
  return {
    containerId: pod.name,
    netns: pod.netns,
    ifname: "eth0",
    args,
    config: { ...config, ...more },
  };
}

async function add(on: TestNode, pod: Pod, more: object = {}): Promise<void> {
  const answer = await on.execShim({ command: "ADD", ...callOf(pod, more) });
  require(answer.exitCode === 0, `ADD of ${pod.name}: ${answer.stdout}`);
  const ips = (answer.json as { ips: { address: string }[] }).ips.map(({ address }) => address);
  note(`ADD ${pod.name}: ${ips.join(" ")}`);
}

async function del(on: TestNode, pod: Pod): Promise<void> {
  const answer = await on.execShim({ command: "DEL", ...callOf(pod) });
  require(answer.exitCode === 0, `DEL of ${pod.name}: ${answer.stdout}`);
}

async function pingAll(on: TestNode, running: HostProcess, all: readonly Pod[]): Promise<void> {
  say("Pings over IPv4 and IPv6: pod to pod, pod to node, node to pod");
  const attachments = await running.client.listAttachments({});
  const addressesOf = (pod: Pod) =>
    (attachments.find(({ containerId }) => containerId === pod.name)?.addresses ?? []).map(
      (address) => address.replace(/\/.*/, ""),
    );
  const { pools } = await running.client.showIpam({});
  const gateways = pools.flatMap(({ ranges }) => ranges.map(({ gateway }) => gateway));
  const [from, to] = all as [Pod, Pod];
  for (const address of addressesOf(to))
    await ping(`${from.name} -> ${to.name}`, from.netns, address);
  for (const address of gateways) await ping(`${from.name} -> node`, from.netns, address);
  for (const address of addressesOf(to)) await ping(`node -> ${to.name}`, on.netns, address);
}

async function ping(what: string, netns: string, address: string): Promise<void> {
  const script = ["ping", "-c", "1", "-W", "2", address];
  const result = await runInNetns(netns, script);
  require(result.exitCode === 0, `${what} ${address}: ${result.stdout}${result.stderr}`);
  const time = /time=([\d.]+)/.exec(result.stdout)?.[1] ?? "?";
  note(`${what.padEnd(34)} ${address.padEnd(14)} ${time} ms`);
}

/** A Service for two of the pods, dialled from the third and from the node. */
async function showService(on: TestNode): Promise<() => void> {
  say(`A Service demo/web for two of the pods: ${CLUSTER_IPS.join(" and ")}, written as manifests`);
  const backends = [second, third];
  const addresses = await Promise.all(backends.map((pod) => podAddresses(on, pod)));
  const stop = await publishService(on, { pods: backends, addresses });
  print(await cli(["services", "--root", on.root]));
  const told = { note, require };
  await dialService(told, { from: first.name, netns: first.netns, pods: backends });
  // This node has no uplink; another one reaches Service addresses by its default route, up to the DNAT.
  for (const range of ["10.96.0.0/16", "fd00:96::/112"]) {
    await runInNetns(on.netns, ["ip", "route", "add", range, "dev", "patchbay0"]);
  }
  await dialService(told, { from: "the node", netns: on.netns, pods: backends });
  const question = ["--from", `demo/${first.name}`, "--to", `[${CLUSTER_IPS[1]}]:80/tcp`];
  print(await cli(["services", "explain", ...question, "--root", on.root]));
  return stop;
}

async function dialAgain(): Promise<void> {
  note("The Service goes on without a host:");
  const backends = [second, third];
  await dialService({ note, require }, { from: first.name, netns: first.netns, pods: backends });
}

interface Echo {
  echoed(): number;
  lost(): number;
  close(): Promise<void>;
}

/** A client in one pod that counts what a server in the other sends back. */
async function openEcho(on: TestNode, server: Pod, client: Pod): Promise<Echo> {
  const [address] = await podAddresses(on, server);
  const serve = `require("net").createServer((s) => s.pipe(s)).listen(7000, "::", () => console.log("listening"))`;
  const dial = `const s = require("net").connect(7000, ${JSON.stringify(address)});
    let sent = 0; s.setEncoding("utf8").on("data", (t) => process.stdout.write(t));
    const fail = (e) => { console.log("broken", e); process.exit(1); };
    s.on("error", fail).on("close", () => fail("closed"));
    setInterval(() => s.write(sent++ + "\\n"), 20);`;
  const listener = spawnInNetns(server.netns, [process.execPath, "-e", serve]);
  await new Promise((resolve) => listener.stdout?.once("data", resolve));
  const dialer = spawnInNetns(client.netns, [process.execPath, "-e", dial]);
  let text = "";
  dialer.stdout?.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
  });
  const lines = () => text.split("\n").slice(0, -1);
  return {
    echoed: () => {
      require(!text.includes("broken"), "the TCP connection holds");
      return lines().length;
    },
    lost: () => lines().filter((line, index) => line !== String(index)).length,
    async close() {
      dialer.kill();
      listener.kill();
    },
  };
}

async function podAddresses(on: TestNode, pod: Pod): Promise<string[]> {
  const { addresses } = await on.readKernel(pod.netns);
  return addresses
    .filter((line) => line.startsWith("eth0 ") && !line.includes("fe80:"))
    .map((line) => line.slice("eth0 ".length).replace(/\/.*/, ""));
}

async function showNothingLeft(on: TestNode, running: HostProcess): Promise<void> {
  const attachments = await running.client.listAttachments({});
  const { pools } = await running.client.showIpam({ leases: true });
  const held = pools.flatMap(({ leases }) => leases.filter(({ state }) => state === "held"));
  const kernel = await on.readKernel();
  const links = kernel.links.filter((line) => line.startsWith("pb"));
  const routes = kernel.routes.filter((line) => line.includes("dev pb"));
  require(attachments.length + held.length + links.length + routes.length === 0, "nothing is left");
  note("left: 0 attachments, 0 held addresses, 0 links, 0 routes");
  note("The addresses cool down for two minutes before anyone gets them again:");
  print(await cli(["ipam", "--root", on.root]));
}

/** One driver, a small C program, executes both: it measures the plugins and not itself. */
async function compareCost(on: TestNode, running: HostProcess): Promise<void> {
  const driver = join(repository, "build/bench-exec");
  if (!existsSync(driver)) spawnSync("make", ["-s", "-C", join(repository, "bench/native")]);
  if (!existsSync(driver)) {
    note("What an ADD costs was not measured: the driver needs a C compiler (gcc, make)");
    return;
  }
  say(`What an ADD costs: ${MEASURED_PODS} one after the other, exec to exit`);
  const own = await measure(on, driver, {
    binary: shimFile,
    config,
    cniPath: join(on.root, "bin"),
  });
  report("Patchbay", own);
  const peer = "/usr/lib/cni/bridge";
  if (!existsSync(peer)) {
    note(
      "Debian's bridge + host-local is not installed (containernetworking-plugins): no comparison",
    );
    return;
  }
  const theirs = await measure(on, driver, {
    binary: peer,
    config: peerConfig(join(on.root, "host-local")),
    cniPath: "/usr/lib/cni",
  });
  report("bridge + host-local (Debian)", theirs);
  note(
    `${(median(theirs) / median(own)).toFixed(1)} times faster. In earnest, and more: npm run bench`,
  );
  void running;
}

interface Contestant {
  readonly binary: string;
  readonly config: object;
  readonly cniPath: string;
}

/** Wall times of ADDs, ms; what was added is deleted again. */
async function measure(on: TestNode, driver: string, who: Contestant): Promise<number[]> {
  const stdin = join(on.root, "bench.json");
  writeFileSync(stdin, JSON.stringify(who.config));
  const created = await on.createPods(MEASURED_PODS);
  const list = created.map((pod) => `${pod.name} ${pod.netns}`).join("\n");
  const run = (command: string) => {
    const args = ["--binary", who.binary, "--command", command, "--stdin", stdin];
    const enter = [`--net=${on.netns}`, "--", driver, ...args, "--cni-path", who.cniPath];
    const result = spawnSync("nsenter", enter, { input: `${list}\n`, encoding: "utf8" });
    require(result.status === 0, `${command}: ${result.stderr}`);
    return result.stdout;
  };
  const times = run("ADD")
    .split("\n")
    .filter((line) => line.includes("wall_us"))
    .map((line) => (JSON.parse(line) as { wall_us: number }).wall_us / 1000);
  run("DEL");
  for (const pod of created) await on.deletePod(pod);
  return times.filter((time) => Number.isFinite(time)).slice(0, MEASURED_PODS);
}

function peerConfig(dataDir: string): object {
  return {
    cniVersion: "1.0.0",
    name: "peer",
    type: "bridge",
    bridge: "peer0",
    isGateway: true,
    ipam: {
      type: "host-local",
      dataDir,
      ranges: [[{ subnet: "10.99.0.0/16" }], [{ subnet: "fd00:99::/64" }]],
      routes: [{ dst: "0.0.0.0/0" }, { dst: "::/0" }],
    },
  };
}

function median(values: readonly number[]): number {
  return [...values].sort((left, right) => left - right)[Math.floor(values.length / 2)] ?? NaN;
}

function report(name: string, times: readonly number[]): void {
  const slowest = Math.max(...times).toFixed(1);
  note(`${name.padEnd(30)} p50 ${median(times).toFixed(2)} ms, slowest ${slowest} ms`);
}

async function cli(args: readonly string[]): Promise<string> {
  const env = { ...process.env, ...(COLOR ? { FORCE_COLOR: "1" } : {}) };
  const result = spawnSync(process.execPath, [CLI, ...args], { encoding: "utf8", env });
  require(result.status === 0, `patchbay ${args.join(" ")}: ${result.stderr}`);
  return result.stdout;
}

function say(text: string): void {
  const time = `${((performance.now() - startMs) / 1000).toFixed(1).padStart(5)} s`;
  console.log(
    `${COLOR ? styleText("dim", time) : time}  ${COLOR ? styleText("bold", text) : text}`,
  );
}

function note(text: string): void {
  console.log(`           ${text}`);
}

function print(text: string): void {
  for (const line of text.trimEnd().split("\n")) note(line);
}

function require(condition: boolean, what: string): void {
  if (!condition) throw new Error(`The demo expected: ${what}`);
}
