import type { Machine } from "./machine.ts";
import { type BenchRow, formatRatio, formatTarget, formatValue, isMet } from "./rows.ts";

export interface Report {
  readonly machine: Machine;
  readonly rows: readonly BenchRow[];
  /** Fewer samples, for a look; not to be quoted. */
  readonly quick: boolean;
}

const headings = ["what", "ours", "beside it", "", "target", "met"];

/** For the terminal. */
export function formatTable(report: Report): string {
  const lines = [headings, ...report.rows.map(cells)];
  const widths = headings.map((_, column) =>
    Math.max(...lines.map((line) => line[column]?.length ?? 0)),
  );
  const isRight = [false, true, false, false, false, false];
  return lines
    .map((line) =>
      line
        .map((cell, column) => {
          const width = widths[column] ?? 0;
          return isRight[column] ? cell.padStart(width) : cell.padEnd(width);
        })
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** For programs: the rows with what is derived from them. */
export function formatJson(report: Report): string {
  const rows = report.rows.map((row) => ({ ...row, met: isMet(row) }));
  return `${JSON.stringify({ ...report, rows }, null, 2)}\n`;
}

/** docs/performance.md. */
export function formatPage(report: Report, cluster: string): string {
  const { machine, rows } = report;
  const { pods, networks, services } = partsOf(rows);
  const here = [...pods, ...networks, ...services];
  const missed = here.filter((row) => isMet(row) === false);
  const targets = here.filter((row) => row.target);
  return `# Performance

Made by \`npm run bench\`; do not edit. Patchbay and Debian's \`bridge\` + \`host-local\` side by side in one run, dual-stack,
inside a private node.

| | |
|---|---|
| machine | ${machine.cpu} |
| system | ${machine.system}, ${machine.kernel}, ${machine.node} |
| peers | ${machine.peers} |
| run | ${machine.time}, commit ${machine.commit}${report.quick ? ", quick: few samples" : ""} |

![Ours and the peer's, shorter is better](performance.svg)

${formatRows(pods)}

## Networks of a pod, and plugins of others

A pod's default network and three by its annotation; a plugin of a third party, by its socket; a CNI plugin as a network, by \`cni-exec\`. Multus was not run
here: what says "quoted" was measured another time on such a machine.

![Networks: ours and the peer's, shorter is better](performance-networks.svg)

${formatRows(networks)}

## Services

Beside a chain for each Service and one verdict map that leads to them, loaded by \`nft -f -\`: the layout that kube-proxy 1.36 writes in its
nftables mode, without kube-proxy. What says "quoted" is a real kube-proxy on such a machine, measured another time.

![Services: ours and the peer's, shorter is better](performance-services.svg)

${formatRows(services)}

${cluster}

## Targets

${targets.length - missed.length} of ${targets.length} targets are met.${formatMissed(missed)}

## How it is measured
- **Rounds go around all contenders**, so that drift of the machine hits all. Each ADD gets a network namespace that was
  never used; namespaces are made before and freed after, outside what is timed, since the kernel frees them under the lock
  that every attach needs.
- **cni**: a small static C program (\`bench/native/\`) executes the plugins as a runtime does: environment, configuration on stdin,
  stdout caught; timed from vfork to wait4. DEL gets the ADD's result as \`prevResult\`. "One after the other" unless it says
  "at once": then 100 processes are started together and the time is that until the last has ended.
- **static C** does what the \`routed\` plugin does - the same links, addresses, routes and neighbours - in two sends, with nothing
  around it: no address allocation, no record that survives a crash, no answer to print.
- **The host** is started by \`patchbay host\` as a user starts it, logs to a file, and has its database on a disk, as \`host-local\` has its files.
- **shim**: exec to exit, with all of the gRPC call. \`bench-hello\` is a static glibc program that prints a line: the floor of an exec here.
- **kernel**: \`kernel.apply\` inside the process, with the way to the worker thread and back, against \`bench-attach --loop\`.
- **host**: Rss of the whole process as /proc/PID/smaps_rollup says, after pods came and went through the shim, 100 at once.
- **ipam**: the best of nine rounds in memory, with nothing around it.
- **networks, four**: routed by the conflist, and by the annotation two bridges and another routed one, dual-stack all; the peer is
  \`bridge\` + \`host-local\` executed four times, one after the other, the sum of what each took: what Multus executes, without Multus.
- **networks, Go plugin**: \`examples/go/noop\` answers from the request alone. "Added" is the host's own step from the record to the plugin's answer
  (\`patchbay_step_duration_seconds{step="add.joined"}\`, the median within its bucket), of which a built-in plugin has its work alone; the call over its socket is the host's client in the bench's process.
- **networks, cni-exec**: the same \`bridge\` + \`host-local\` as a network of ours, through the shim, and executed as in **cni**. Memory is that of the host without its
  delegates: Rss before, VmHWM of all the rounds.
- **networks, in 256 MiB**: the host in a cgroup of that size without swap, 200 shims started together; those that are told to come again (code 11) do so when all have been answered.
- **services** have three endpoints each unless it says otherwise, one of a hundred endpoints on this node. "One endpoint changed" and
  "rolling update" run in a process with the table, the plane and the netlink worker of a host, real kernel, from the object event to the
  acknowledgement; the peer flushes the Service's chain and adds its two rules by \`nft -f -\`, from start to exit.
- **services, to a connection**: \`patchbay host\` in a namespace between a client's and a server's. A static C program dials every 20 us and is
  refused; taken is the time from before the call, or before the file is written, to the first connection that is made. A new gRPC stream each time.
- **services, flush ruleset**: the longest time between two connections that were made, while \`nft flush ruleset\` runs.
- **services, cold start**: \`patchbay host --manifests\`, 500 Services with their slices a file, to the answer of WaitProgrammed. The peer's figure is \`nft -f -\` alone,
  without anybody to read objects.
- **services, kernel memory**: objects of all kmalloc caches (/proc/slabinfo), what is too large for them, per-CPU memory and vmalloc (/proc/meminfo), at rest, with an empty layout and with a full one, each in a namespace of its own.
- **services, connect**: connect() from one namespace through a router to another, in 60 rounds of 300 around all paths; "direct" is tracked, and passes a nat rule that does not match, before and after routing.
- p50 and p99 are nearest-rank percentiles of all samples of the run. "100 at once" is the median of the rounds.
`;
}

const clusterStart = "<!-- A real Kubernetes: by npm run bench -- --only kubernetes -->";
const clusterEnd = "<!-- End of a real Kubernetes -->";

/** The part of docs/performance.md that is measured by itself: its programs take nine minutes to build. */
export function formatClusterPart(report: Report): string {
  const { machine } = report;
  const { cluster } = partsOf(report.rows);
  const missed = cluster.filter((row) => isMet(row) === false);
  const targets = cluster.filter((row) => row.target);
  return `${clusterStart}
## A real Kubernetes

One node of etcd, API server, scheduler, controller-manager, kubelet, containerd and runc, the same as in \`npm run e2e:kubernetes\`, with Patchbay and with the usual peers
in its place: \`bridge\` + \`host-local\` + \`portmap\` of containernetworking plugins 1.9.1, dual-stack, with \`ipMasq\`, and kube-proxy 1.36.3 in its nftables mode. Measured by
itself: \`npm run bench -- --only kubernetes\`, ${machine.time}, commit ${machine.commit}; ${machine.cpu}, ${machine.kernel}.

![A real Kubernetes: ours and the peer's, shorter is better](performance-kubernetes.svg)

${formatRows(cluster)}

${targets.length - missed.length} of these ${targets.length} targets are met.${formatMissed(missed)}

- **pods at once**: a fresh cluster for each round, ours and the peer's in turns; pods with one container and no readiness probe, on a node that has had one pod before. Ready as a
  watch tells, from before the first POST. The runtime executes a small static program (\`bench-wall\`) that executes the plugin and notes vfork to wait4, for both; data of both lies in memory.
- **EndpointSlice to a connection**: a node with etcd, API server and nothing else. The slice of a Service is patched from one endpoint to another by HTTPS; a namespace beside the node
  dials the Service each half millisecond, the servers say who they are. Taken is the time from before the request, so the API server's own work is part of it. Rests of 0.4 to 1.8 s between
  changes, the same for both: kube-proxy rests for a second after each of its own.
- **start**: nftables are empty, the API server has all; from exec until the Service that is dialled answers and, for ours, WaitProgrammed of all says so; then the kernel's maps are
  counted. RSS is Rss of smaps_rollup, peak is VmHWM five seconds later.
${clusterEnd}`;
}

/** That part of a page as it is; empty where it has none. */
export function findClusterPart(page: string): string {
  const start = page.indexOf(clusterStart);
  const end = page.indexOf(clusterEnd);
  return start < 0 || end < start ? "" : page.slice(start, end + clusterEnd.length);
}

/** The page with another such part. */
export function replaceClusterPart(page: string, part: string): string {
  const old = findClusterPart(page);
  // Not a pattern: "$" in it means itself.
  return old === ""
    ? page.replace("## Targets\n", () => `${part}\n\n## Targets\n`)
    : page.replace(old, () => part);
}

/** The rows of each part of the page. */
export function partsOf(rows: readonly BenchRow[]) {
  const isOf = (area: string) => (row: BenchRow) => row.name.startsWith(`${area}:`);
  const networks = rows.filter(isOf("networks"));
  const services = rows.filter(isOf("services"));
  const cluster = rows.filter(isOf("kubernetes"));
  const rest = new Set([...networks, ...services, ...cluster]);
  return { pods: rows.filter((row) => !rest.has(row)), networks, services, cluster };
}

function formatRows(rows: readonly BenchRow[]): string {
  const lines = rows.map((row) => `| ${cells(row).join(" | ")} | ${row.note ?? ""} |`);
  return [`| ${headings.join(" | ")} | note |`, "|---|--:|--:|---|---|---|---|", ...lines].join(
    "\n",
  );
}

function formatMissed(missed: readonly BenchRow[]): string {
  if (missed.length === 0) return "";
  const lines = missed.map((row) => {
    const peer = row.peer
      ? ` beside ${formatValue(row.peer.value, row.unit)} (${row.peer.name}), ${formatRatio(row)}`
      : "";
    return `- ${row.name}: ${formatValue(row.ours, row.unit)}${peer}; wanted ${formatTarget(row)}`;
  });
  return ` It falls short here:\n\n${lines.join("\n")}`;
}

function cells(row: BenchRow): string[] {
  const met = isMet(row);
  return [
    row.name,
    formatValue(row.ours, row.unit),
    row.peer ? `${formatValue(row.peer.value, row.unit)} ${row.peer.name}` : "",
    formatRatio(row),
    formatTarget(row),
    met === undefined ? "" : met ? "yes" : "NO",
  ];
}
