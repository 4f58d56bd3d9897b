// Serves a built-in network plugin as a process of its own, like a third party's: NAME --socket PATH.
import { openKernel } from "../../src/kernel/rtnetlink-kernel.ts";
import { openNftables } from "../../src/kernel/nftables.ts";
import { serve } from "../../src/plugin-sdk/serve.ts";
import { findBuiltIn } from "./built-ins.ts";

const [name = ""] = process.argv.slice(2);
const kernel = await openKernel();
const plugin = await findBuiltIn(name).create({ kernel, nftables: openNftables() });
await serve(plugin, { onStop: () => kernel.close() });
