// Runs the kit in the network namespace of this process: NAME SOCKET [RULE]... Prints the results as JSON.
import { launchCommand } from "../../src/conformance/plugin-process.ts";
import { parsePools } from "../../src/conformance/pools.ts";
import { runConformance } from "../../src/conformance/run.ts";
import { runIdOf } from "../../src/conformance/stale.ts";
import { openKernel } from "../../src/kernel/rtnetlink-kernel.ts";
import { findTestedPlugin } from "./plugins.ts";

const [name = "", socket = "", ...only] = process.argv.slice(2);
const tested = findTestedPlugin(name);
const { command, prepare } = tested;
const [file = "", ...args] = command(socket);
await using kernel = await openKernel();
const { plugin, results } = await runConformance({
  socket,
  hostVersion: "0.0.0-conformance",
  timeoutMs: 30_000,
  launcher: launchCommand(file, args),
  kernel,
  network: "conformance",
  config: tested.config,
  ...(tested.invalidConfig ? { invalidConfig: tested.invalidConfig } : {}),
  pools: parsePools(tested.addresses ?? "10.251.0.0/24,fd00:251::/64"),
  attachmentsMax: tested.attachments ?? 20,
  netnsFolder: "/run/netns",
  runId: runIdOf(process.pid),
  ...(only.length > 0 ? { only } : {}),
  // Where it hangs is seen by what came before.
  onResult: ({ id, result, ms, reason }) => console.error(`${result} ${id} ${ms} ms ${reason}`),
  ...(prepare ? { prepare: () => prepare(kernel) } : {}),
});
console.log(JSON.stringify({ plugin, results }));
