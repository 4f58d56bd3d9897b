import { openNftables } from "../../src/kernel/nftables.ts";
import { openKernel } from "../../src/kernel/rtnetlink-kernel.ts";
import { createVxlanPlugin } from "./plugin.ts";

// For two-nodes.test.ts: the plugin on a node of its own, the network namespace that this process is
// started in. Argument: calls as JSON; standard output: their answers as JSON.

const kernel = await openKernel();
const plugin = createVxlanPlugin({ kernel, nftables: openNftables() });
const answers: unknown[] = [];
for (const [verb, request] of JSON.parse(process.argv[2] ?? "[]")) {
  answers.push((await plugin[verb as "attach"](request)) ?? null);
}
process.stdout.write(JSON.stringify(answers));
await kernel.close();
