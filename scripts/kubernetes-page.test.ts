/** docs/kubernetes.md shows what the lane with a real cluster (test/kubernetes) runs, and what deploy/ allows. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parse, parseAllDocuments } from "yaml";
import { LIMITS } from "../src/plugin-host/limits.ts";
import { ADDRESSES } from "../test/kubernetes/cluster/addresses.ts";
import {
  formatKubeconfig,
  type Holder,
  HOLDERS,
  USERS,
} from "../test/kubernetes/cluster/certificates.ts";
import * as programs from "../test/kubernetes/cluster/programs.ts";
import { APPLY_KINDS, APPLY_RIGHTS, CREATE_TOKEN } from "../test/kubernetes/cluster/rights.ts";
import { containerdConfig, kubeletConfig } from "../test/kubernetes/cluster/runtime-config.ts";

const repository = join(import.meta.dirname, "..");
const page = readFileSync(join(repository, "docs/kubernetes.md"), "utf8");

/** The lane's folders, as a machine of one's own has them. */
const pki = (name: string) => `/etc/kubernetes/pki/${name}`;
const options: programs.ProgramOptions = {
  certificates: { file: pki },
  folder: "/etc/kubernetes",
  data: "/var/lib",
  program: (name) => name,
};

/** Commands of the page, their lines joined. Several may stand below each other. */
const commands = [...page.matchAll(/^ {4}(\S(?:.*\\\n)*.*)$/gm)].map(([, text = ""]) =>
  text.replaceAll(/ \\\n +/g, " ").trim(),
);

/** The block below the line "PATH:". */
function findFile(path: string): string {
  const at = page.indexOf(`\n${path}:\n\n`);
  assert.ok(at >= 0, `The page has no file ${path}`);
  const [block = ""] = /^(?: {4}.*\n)+/m.exec(page.slice(at)) ?? [];
  return block.replaceAll(/^ {4}/gm, "");
}

function findCommands(...begin: readonly string[]): string[] {
  return commands.filter((command) => `${command} `.startsWith(`${begin.join(" ")} `));
}

/** Cells of the rows of the table that has this head. */
function readTable(head: string): string[][] {
  const at = page.indexOf(`| ${head} |`);
  assert.ok(at >= 0, `The page has no table ${head}`);
  const lines = page.slice(at).split("\n");
  const end = lines.findIndex((line) => !line.startsWith("|"));
  return lines.slice(2, end).map((line) =>
    line
      .slice(1, -1)
      .split(" | ")
      .map((cell) => cell.trim()),
  );
}

test("docs/kubernetes.md starts every program as the lane does", () => {
  const argv: Record<string, readonly string[]> = {
    etcd: programs.etcd(options),
    "kube-apiserver": programs.apiServer(options),
    "kube-controller-manager": programs.controllerManager(options),
    "kube-scheduler": programs.scheduler(options),
    containerd: programs.containerd(options),
    kubelet: programs.kubelet(options),
  };
  for (const [name, words] of Object.entries(argv)) {
    assert.deepEqual(findCommands(name), [words.join(" ")], name);
  }
  const host = programs.patchbayHost(["npx", "patchbay"], "/etc/patchbay/kubeconfig");
  assert.deepEqual(findCommands("npx", "patchbay", "host"), [host.join(" ")]);
});

test("deploy/kubernetes/patchbay.service starts the host as the lane does, by the machine's own name", () => {
  const unit = readFileSync(join(repository, "deploy/kubernetes/patchbay.service"), "utf8");
  const [, command = ""] = /^ExecStart=((?:.*\\\n)*.*)$/m.exec(unit) ?? [];
  const npx = ["/usr/bin/npx", "--no-install", "patchbay"];
  const host = programs.patchbayHost(npx, "/etc/patchbay/kubeconfig").join(" ");
  assert.equal(
    command.replaceAll(/ \\\n +/g, " "),
    host.replace(ADDRESSES.apiServer, "https://192.0.2.10:6443").replace(/ --node-name \S+$/, ""),
  );
});

test("docs/kubernetes.md gives the host the rights, the token and the kinds that the lane gives it", () => {
  assert.deepEqual(findCommands("kubectl", "create", "token"), [
    `kubectl ${CREATE_TOKEN.join(" ")} > /etc/patchbay/token`,
  ]);
  assert.deepEqual(findCommands("kubectl", "apply"), [
    `kubectl ${APPLY_RIGHTS.join(" ")}`,
    `kubectl ${APPLY_KINDS.join(" ")}`,
  ]);
  assert.deepEqual(findCommands("npx", "patchbay", "install"), [
    "npx patchbay install --kubernetes",
  ]);
});

test("docs/kubernetes.md has the files that the lane writes", () => {
  assert.equal(
    findFile("/etc/kubernetes/containerd.toml"),
    containerdConfig({ root: "/var/lib/containerd", runc: "runc" }),
  );
  assert.deepEqual(
    parse(findFile("/etc/kubernetes/kubelet.yaml")),
    kubeletConfig({ authority: pki("ca.crt"), cgroupRoot: "/" }),
  );
  const kubeconfig = formatKubeconfig({
    server: ADDRESSES.apiServer,
    authority: pki("ca.crt"),
    credentials: { tokenFile: "/etc/patchbay/token" },
  });
  assert.deepEqual(parse(findFile("/etc/patchbay/kubeconfig")), JSON.parse(kubeconfig));
});

test("docs/kubernetes.md names the certificates that the lane makes", () => {
  const rows = Object.entries<Holder>(HOLDERS).map(([name, { cn, o, names = [], signedBy }]) => {
    const subject = o === undefined ? cn : `${cn}, ${o}`;
    const about = [
      ...(names.length > 0
        ? [`for ${names.map((each) => each.replace(/^\w+:/, "")).join(", ")}`]
        : []),
      ...(signedBy ? [`by ${signedBy}`] : []),
      ...(USERS.some((user) => user === name) ? [`and ${name}.kubeconfig`] : []),
    ];
    return [name, subject, about.join("; ")];
  });
  const shown = readTable("NAME.crt, NAME.key | CN, O");
  assert.deepEqual(
    shown.map(([name, subject, about = ""]) => [name, subject, about.replace(/; not used.*/, "")]),
    rows,
  );
});

test("docs/kubernetes.md tells of every right of deploy/kubernetes/rbac.yaml", () => {
  const text = readFileSync(join(repository, "deploy/kubernetes/rbac.yaml"), "utf8");
  const role = parseAllDocuments(text)
    .map((document) => document.toJS() as { kind: string; rules: Rule[] })
    .find(({ kind }) => kind === "ClusterRole");
  const rights = (role?.rules ?? []).flatMap(({ apiGroups, resources, verbs }) =>
    apiGroups.flatMap((group) =>
      resources.map((resource) => [
        group === "" ? resource : `${resource}.${group}`,
        verbs.join(", "),
      ]),
    ),
  );
  assert.ok(rights.length > 5);
  const shown = readTable("resource | verbs | why");
  assert.deepEqual(
    shown.map(([resource, verbs]) => [resource, verbs]),
    rights,
  );
});

test("docs/kubernetes.md names limits that there are", () => {
  const named = readTable("limit | here").flatMap(([names = ""]) => names.split(", "));
  assert.ok(named.length > 10);
  assert.deepEqual(
    named.filter((name) => !(name in LIMITS)),
    [],
  );
});

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}
