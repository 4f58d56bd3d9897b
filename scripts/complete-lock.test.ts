import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { findMissingEntries, type LockPackages } from "./complete-lock.ts";

describe("package-lock.json", () => {
  it("names every optional dependency, so that npm ci takes it (else: npm run lock)", () => {
    const text = readFileSync(join(import.meta.dirname, "../package-lock.json"), "utf8");
    const lock = JSON.parse(text) as { packages: LockPackages };
    assert.deepEqual(Object.keys(findMissingEntries(lock.packages)), []);
  });
});

describe("findMissingEntries()", () => {
  it("reads the machine from the name", () => {
    const optionalDependencies = { "@x/binding-linux-arm-musleabihf": "1.0.0", "@x/here": "1.0.0" };
    assert.deepEqual(
      findMissingEntries({
        "node_modules/x": { version: "1.0.0", dev: true, optionalDependencies },
        "node_modules/@x/here": { version: "1.0.0" },
      }),
      {
        "node_modules/@x/binding-linux-arm-musleabihf": {
          version: "1.0.0",
          cpu: ["arm"],
          dev: true,
          libc: ["musl"],
          optional: true,
          os: ["linux"],
        },
      },
    );
  });
});
