import assert from "node:assert/strict";
import { test } from "node:test";
import { runningMaxOf } from "./available-memory.ts";

const MIB = 1 << 20;
const MEMINFO = "MemTotal: 99 kB\nMemAvailable:    8388608 kB\n";

const CASES: readonly [
  what: string,
  files: Record<string, string>,
  processors: number,
  expected: number,
][] = [
  ["two for each processor", { "/proc/meminfo": MEMINFO }, 4, 8],
  ["sixteen at most", { "/proc/meminfo": MEMINFO }, 64, 16],
  ["one where nothing is known", {}, 4, 1],
  ["what the machine has", { "/proc/meminfo": `MemAvailable: ${(3 * 56 * MIB) / 1024} kB` }, 4, 3],
  [
    "what the cgroup leaves, files not counted",
    {
      "/proc/meminfo": MEMINFO,
      "/proc/self/cgroup": "0::/pod/host\n",
      "/sys/fs/cgroup/pod/host/memory.max": `${256 * MIB}\n`,
      "/sys/fs/cgroup/pod/host/memory.current": `${240 * MIB}\n`,
      "/sys/fs/cgroup/pod/host/memory.stat": `anon 1\nfile ${140 * MIB}\n`,
    },
    8,
    2,
  ],
  [
    "what a cgroup above leaves",
    {
      "/proc/meminfo": MEMINFO,
      "/proc/self/cgroup": "0::/pod/host\n",
      "/sys/fs/cgroup/pod/host/memory.max": "max\n",
      "/sys/fs/cgroup/pod/memory.max": `${256 * MIB}\n`,
      "/sys/fs/cgroup/pod/memory.current": `${56 * MIB}\n`,
    },
    8,
    3,
  ],
  [
    "what a cgroup of version 1 leaves",
    {
      "/proc/meminfo": MEMINFO,
      "/proc/self/cgroup": "5:cpu,cpuacct:/x\n4:memory:/pod\n0::/\n",
      "/sys/fs/cgroup/memory/pod/memory.limit_in_bytes": `${256 * MIB}\n`,
      "/sys/fs/cgroup/memory/pod/memory.usage_in_bytes": `${200 * MIB}\n`,
      "/sys/fs/cgroup/memory/pod/memory.stat": `cache 1\ntotal_cache ${60 * MIB}\n`,
    },
    8,
    2,
  ],
];

for (const [what, files, processors, expected] of CASES) {
  test(`runningMaxOf() is ${what}`, () => {
    assert.equal(
      runningMaxOf((file) => files[file] ?? "", processors),
      expected,
    );
  });
}
