import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { readPeakMegabytes, readRssMegabytes } from "../host-process.ts";
import { type BenchRow, median } from "../rows.ts";
import type { Options } from "./options.ts";
import { type Proxy, type ProxyOptions, startKubeProxy, startPatchbay } from "./proxies.ts";

/** Until the state is in the journal, and what was needed for the start only is given back. */
const SETTLE_MS = 5000;

/** One start of many Services. */
interface Start {
  readonly seconds: number;
  /** When all was programmed, and some seconds later. */
  readonly rss: number;
  readonly rssLater: number;
  readonly peak: number;
}

type Kind = "cold" | "journal" | "alone" | "peer";

/** From a start with an empty kernel until all Services are programmed. */
export async function benchColdStart(parts: ProxyOptions, options: Options): Promise<BenchRow[]> {
  const starts: Record<Kind, Start[]> = { cold: [], journal: [], alone: [], peer: [] };
  const rounds = options.quick ? 1 : 3;
  for (let round = 0; round < rounds; round++) {
    const root = join(options.folder, `start-${round}`);
    const measure = async (kind: Kind, starting: () => Promise<Proxy>): Promise<void> => {
      const start = await measureStart(starting);
      options.progress(`kubernetes: start ${round + 1}/${rounds}, ${kind}: ${format(start)}`);
      starts[kind].push(start);
    };
    await measure("cold", () => startPatchbay(parts, root));
    if (!existsSync(join(root, "var/lib/patchbay/objects.db"))) throw new Error("No journal");
    await measure("journal", () => startPatchbay(parts, root));
    await measure("peer", () => startKubeProxy(parts));
    await parts.plane.stopApiServer();
    await measure("alone", () => startPatchbay(parts, root));
    await parts.plane.startApiServer();
    // Its caches are filled by then.
    await parts.plane.api.get("/api/v1/namespaces/default/services?resourceVersion=0&limit=1");
    await delay(SETTLE_MS);
  }
  return rowsOf(starts, parts.services);
}

async function measureStart(starting: () => Promise<Proxy>): Promise<Start> {
  await using proxy = await starting();
  const rss = proxy.rssMegabytes;
  await delay(SETTLE_MS);
  const rssLater = readRssMegabytes(proxy.pid);
  const peak = readPeakMegabytes(proxy.pid);
  return { seconds: proxy.startMs / 1000, rss, rssLater, peak };
}

function rowsOf(starts: Record<Kind, readonly Start[]>, services: number): BenchRow[] {
  const what = `kubernetes: start with ${services.toLocaleString("en-US")} Services`;
  const figure = (kind: Kind, key: keyof Start) => median(starts[kind].map((start) => start[key]));
  const peerOf = (key: keyof Start) => ({ name: "kube-proxy 1.36.3", value: figure("peer", key) });
  const note = `median of ${starts.cold.length}; the kernel's tables are empty before`;
  const soon = { kind: "below", value: 8 } as const;
  const small = { kind: "below", value: 350 } as const;
  return [
    {
      name: `${what}, no journal`,
      ours: figure("cold", "seconds"),
      peer: peerOf("seconds"),
      unit: "s",
      target: soon,
      note,
    },
    {
      name: `${what}, with the journal`,
      ours: figure("journal", "seconds"),
      peer: peerOf("seconds"),
      unit: "s",
      target: soon,
    },
    {
      name: `${what}, with the journal, no API server`,
      ours: figure("alone", "seconds"),
      unit: "s",
      target: soon,
      note: "kube-proxy programs nothing before the API server answers",
    },
    {
      name: `${what}, no journal, RSS`,
      ours: figure("cold", "rss"),
      peer: peerOf("rss"),
      unit: "MB",
      target: small,
      note: `when programmed; ${SETTLE_MS / 1000} s later ${figure("cold", "rssLater").toFixed(0)} MB`,
    },
    {
      name: `${what}, no journal, peak`,
      ours: figure("cold", "peak"),
      peer: peerOf("peak"),
      unit: "MB",
      target: small,
      note: "VmHWM",
    },
    {
      name: `${what}, with the journal, peak`,
      ours: Math.max(figure("journal", "peak"), figure("alone", "peak")),
      peer: peerOf("peak"),
      unit: "MB",
      target: small,
      note: "the greater of the two",
    },
  ];
}

function format({ seconds, rss, rssLater, peak }: Start): string {
  const memory = [rss, rssLater, peak].map((megabytes) => megabytes.toFixed(0));
  return `${seconds.toFixed(2)} s; RSS ${memory[0]} MB, later ${memory[1]}, peak ${memory[2]}`;
}
