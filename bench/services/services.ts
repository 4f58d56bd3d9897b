import type { BenchRow } from "../rows.ts";
import { benchChange } from "./change.ts";
import { benchConnect } from "./connect.ts";
import { benchHostStart } from "./host-start.ts";
import type { Options } from "./options.ts";
import { benchReach } from "./reach.ts";
import { benchRolling } from "./rolling.ts";

/** Services, beside a chain for each of them. Everything happens in namespaces of its own. */
export async function benchServices(options: Options): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const step of [benchChange, benchRolling, benchConnect, benchReach, benchHostStart]) {
    rows.push(...(await step(options)));
  }
  return rows;
}
