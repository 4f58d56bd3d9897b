// The direction of imports (ARCHITECTURE.md) as a rule of oxlint's: one table, and a rule that
// holds every import against it. Plain JavaScript: oxlint loads it with whatever Node runs it.
import { dirname, join, relative, sep } from "node:path";

/**
 * What the files of a folder may import beside their own folder. The longest folder wins; folders
 * that are not named may import everything, unless `restricted` says otherwise.
 *
 * - folders: their values and types
 * - types: their types only (`import type`)
 * - packages: npm packages and node: builtins; "node:*" is all builtins
 * - files: exceptions by file name, which have the fields of an entry and add to it
 */
export const directions = {
  "src/ip": { folders: [], packages: ["node:net"] },
  "src/kernel": { folders: ["src/ip"], packages: ["node:*", "koffi"] },
  "src/ipam": {
    folders: ["src/ip"],
    packages: ["node:assert"],
    // Its only I/O.
    files: { "sqlite-store.ts": { packages: ["node:sqlite"] } },
  },
  "src/services": { folders: ["src/ip"], types: ["src/kernel"], packages: ["node:assert"] },
  "src/rpc": {
    folders: ["src/ip"],
    packages: ["node:*", "@grpc/grpc-js", "@grpc/proto-loader"],
    // What a plugin's failures are thrown as.
    files: { "plugin-call-error.ts": { folders: ["src/plugin-sdk/network-plugin.ts"] } },
  },
  "src/plugin-sdk": { folders: ["src/ip", "src/kernel", "src/rpc"], packages: ["node:*"] },
  "src/plugin-host": {
    folders: ["src/ip", "src/ipam", "src/kernel", "src/plugin-sdk", "src/rpc", "src/services"],
    packages: ["node:*", "ajv", "pino", "prom-client"],
    // The composition root.
    files: { "main.ts": { folders: ["plugins"] }, "cni-exec.ts": { folders: ["plugins"] } },
  },
  "src/plugin-host/manifests": {
    folders: ["src/services", "src/plugin-host/system-clock.ts"],
    types: ["src/plugin-host"],
    packages: ["node:*", "yaml"],
  },
  // Text in, values out; the memory of what was read.
  "src/plugin-host/networks": {
    folders: [
      "src/ip",
      "src/plugin-host/cni",
      "src/plugin-host/errors.ts",
      "src/plugin-host/limits.ts",
      "src/plugin-host/manifests/fields.ts",
      "src/plugin-host/manifests/rules.ts",
    ],
    types: ["src/plugin-host", "src/plugin-sdk", "src/rpc"],
    packages: ["node:assert"],
  },
  // Deterministic: clock, randomness and everything outside reach it as ports.
  "src/plugin-host/core": {
    folders: [
      "src/ip",
      "src/ipam",
      "src/plugin-host/cni",
      "src/plugin-host/errors.ts",
      "src/plugin-host/limits.ts",
      "src/plugin-host/networks",
      "src/plugin-sdk/network-plugin.ts",
      "src/services",
    ],
    types: ["src/kernel", "src/plugin-host", "src/plugin-sdk", "src/rpc"],
    // Of node:crypto only createHash: no-restricted-imports in .oxlintrc.json.
    packages: ["node:assert", "node:crypto"],
  },
  // Text in, values out.
  "src/plugin-host/cni": {
    folders: ["src/ip", "src/ipam", "src/plugin-host/errors.ts", "src/plugin-host/limits.ts"],
    types: ["src/kernel", "src/plugin-host", "src/plugin-sdk", "src/rpc"],
    packages: ["node:assert", "node:vm", "ajv"],
  },
  // Holds plugins of anybody against the contract: the host is not needed for it.
  "src/conformance": {
    folders: ["src/ip", "src/kernel", "src/plugin-sdk", "src/rpc"],
    packages: ["node:*", "ajv"],
  },
  plugins: {
    folders: ["src/ip", "src/kernel", "src/plugin-sdk", "src/services/model.ts"],
    types: ["src/services"],
    packages: ["node:*"],
  },
};

/** Files of this name plan: they compute and do no I/O, wherever they are. */
const planFile = "plan.ts";
const plan = {
  folders: [
    "src/ip",
    "src/plugin-sdk/bridged-pod.ts",
    "src/plugin-sdk/link-names.ts",
    "src/plugin-sdk/network-plugin.ts",
    "src/plugin-sdk/pod-addresses.ts",
    "src/plugin-sdk/pod-side.ts",
  ],
  types: ["src", "plugins"],
  packages: ["node:assert"],
};

/** What only some folders may import, whatever else they may. */
export const restricted = {
  "src/plugin-host": ["src/plugin-host", "src/cli", "test", "bench", "scripts"],
  "@grpc/grpc-js": ["src/rpc"],
  "@grpc/proto-loader": ["src/rpc"],
};

/** Tests may import what they need to test with; they are no part of the program. */
const testFile = /\.test\.ts$|-suite\.ts$|^(test|bench)\//;

/**
 * Says why a file may not import something; undefined when it may.
 *
 * @param {string} file path relative to the checkout
 * @param {string} specifier as written, for example "../kernel/kernel.ts" or "node:fs"
 * @param {boolean} typeOnly true for `import type`
 */
export function findViolation(file, specifier, typeOnly) {
  if (testFile.test(file)) return undefined;
  const local = specifier.startsWith(".");
  const target = local ? join(dirname(file), specifier).split(sep).join("/") : specifier;
  const allowedFrom = Object.entries(restricted).find(([name]) => isBelow(target, name))?.[1];
  if (allowedFrom && !allowedFrom.some((folder) => isBelow(file, folder))) {
    return `${file} may not import ${target}: only ${allowedFrom.join(", ")} may`;
  }
  const folder = findFolder(file);
  const isPlan = file.endsWith(`/${planFile}`);
  if (folder === undefined && !isPlan) return undefined;
  const entry = isPlan ? plan : entryOf(file, folder);
  const name = isPlan ? `A ${planFile}` : folder;
  if (!local) {
    if (typeOnly || entry.packages.includes(target)) return undefined;
    if (target.startsWith("node:") && entry.packages.includes("node:*")) return undefined;
    return `${name} may not import ${target}${listing(entry.packages)}`;
  }
  if (isBelow(target, isPlan ? dirname(file) : ownFolder(file, folder))) return undefined;
  if (entry.folders.some((allowed) => isOf(target, allowed))) return undefined;
  const types = entry.types ?? [];
  if (types.some((allowed) => isBelow(target, allowed))) {
    return typeOnly ? undefined : `${name} may import only types of ${target} (import type)`;
  }
  return `${name} may not import ${target}${listing([...entry.folders, ...types])}`;
}

/** @type {import("eslint").Rule.RuleModule} */
const importDirections = {
  create(context) {
    const file = relative(context.cwd, context.filename).split(sep).join("/");
    const check = (node, typeOnly) => {
      if (typeof node.source?.value !== "string") return;
      const message = findViolation(file, node.source.value, typeOnly);
      if (message) context.report({ node: node.source, message });
    };
    return {
      ImportDeclaration: (node) => check(node, node.importKind === "type"),
      ExportNamedDeclaration: (node) => check(node, node.exportKind === "type"),
      ExportAllDeclaration: (node) => check(node, node.exportKind === "type"),
      ImportExpression: (node) => check(node, false),
    };
  },
};

export default {
  meta: { name: "patchbay" },
  rules: { "import-directions": importDirections },
};

/** The longest folder of the table that holds the file. */
function findFolder(file) {
  const folders = Object.keys(directions).filter((folder) => isBelow(file, folder));
  return folders.toSorted((left, right) => right.length - left.length)[0];
}

function entryOf(file, folder) {
  const entry = directions[folder];
  const more = entry.files?.[file.slice(folder.length + 1)] ?? {};
  return {
    folders: [...entry.folders, ...(more.folders ?? [])],
    types: entry.types ?? [],
    packages: [...entry.packages, ...(more.packages ?? [])],
  };
}

/** The folder whose files a file may import in any case: each plugin is one of its own. */
function ownFolder(file, folder) {
  return folder === "plugins" ? file.split("/").slice(0, 2).join("/") : folder;
}

/** True when the target belongs to the allowed folder, and not to a stricter one below it. */
function isOf(target, allowed) {
  return isBelow(target, allowed) && isBelow(allowed, findFolder(target) ?? allowed);
}

function isBelow(path, folder) {
  return path === folder || path.startsWith(`${folder}/`);
}

function listing(allowed) {
  return allowed.length > 0 ? ` (it may: ${allowed.join(", ")})` : "";
}
