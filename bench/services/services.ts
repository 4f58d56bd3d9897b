import type { BenchRow } from "../rows.ts";
import { benchChange, type ChainLoads } from "./change.ts";
import { benchConnect } from "./connect.ts";
import { benchHostStart } from "./host-start.ts";
import type { Options } from "./options.ts";
import { benchReach } from "./reach.ts";
import { benchRolling } from "./rolling.ts";

/** Services, beside a chain for each of them. Everything happens in namespaces of its own. */
export async function benchServices(options: Options): Promise<BenchRow[]> {
  const loads: ChainLoads = new Map();
  return [
    ...(await benchChange(options, loads)),
    ...(await benchRolling(options)),
    ...(await benchConnect(options)),
    ...(await benchReach(options)),
    ...(await benchHostStart(options, loads)),
  ];
}
