import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import type { ApplyServicesRequest } from "../rpc/generated/patchbay/host/v1/ApplyServicesRequest.ts";
import type { WaitProgrammedRequest } from "../rpc/generated/patchbay/host/v1/WaitProgrammedRequest.ts";
import { hostCallError, runCli } from "./fake-context.ts";

const folder = mkdtempSync(join(tmpdir(), "patchbay-cli-"));
after(() => rmSync(folder, { recursive: true }));

function place(content: unknown): string {
  const file = join(folder, "web.json");
  writeFileSync(file, typeof content === "string" ? content : JSON.stringify(content));
  return file;
}

const web = {
  put_groups: [
    {
      id: "web",
      endpoints: [{ address: "10.88.0.2", ports: [{ port: 8080 }], state: "ENDPOINT_STATE_READY" }],
    },
  ],
  putFrontends: [
    { id: "web", kind: "clusterIP", address: "10.96.0.10", port: 80, group: "web", port_name: "" },
  ],
};
const webRequest = {
  putGroups: web.put_groups,
  putFrontends: [
    { id: "web", kind: "clusterIP", address: "10.96.0.10", port: 80, group: "web", portName: "" },
  ],
};

/** Applies a file; says what the host was sent. */
async function apply(content: unknown, args: readonly string[] = [], error = "") {
  const requests: ApplyServicesRequest[] = [];
  const applyServices = async (request: ApplyServicesRequest) => {
    requests.push(request);
    return { revision: error === "" ? 12 : 0, error };
  };
  const file = place(content);
  const result = await runCli(["services", "apply", "-f", file, ...args], {
    host: { applyServices },
  });
  return { ...result, requests, file };
}

describe("patchbay services apply", () => {
  it("sends the file as one message and prints the revision", async () => {
    const { requests, ...result } = await apply(web);
    assert.deepEqual(requests, [{ ...webRequest, source: "cli", replace: false }]);
    assert.equal(result.stdout, "Applied as revision 12\n");
    assert.equal(result.stderr, "");
    assert.equal(result.exitCode, 0);
  });

  it("takes source and replace from the line before those of the file", async () => {
    const { requests } = await apply({ source: "file", replace: true });
    assert.deepEqual(requests, [{ source: "file", replace: true }]);
    const line = await apply({ source: "file" }, ["--source", "line", "--replace"]);
    assert.deepEqual(line.requests, [{ source: "line", replace: true }]);
  });

  it("fails with the host's words", async () => {
    const error = "put_frontends[0].port is 0, expected 1 to 65535";
    const result = await apply(web, [], error);
    assert.equal(result.stderr, `patchbay: Cannot apply ${result.file}: ${error}\n`);
    assert.equal(result.stdout, "");
    assert.equal(result.exitCode, 1);
  });

  it("prints the message of host.v1 as JSON, refused or not", async () => {
    const good = await apply(web, ["--json"]);
    assert.deepEqual(JSON.parse(good.stdout), { revision: 12, error: "" });
    const bad = await apply(web, ["--json"], "no");
    assert.deepEqual(JSON.parse(bad.stdout), { revision: 0, error: "no" });
    assert.equal(bad.exitCode, 1);
  });

  it("sends nothing of a file that it does not understand", async () => {
    const result = await apply({ put_groups: [{ id: 7 }] });
    assert.deepEqual(result.requests, []);
    assert.equal(result.stderr, `patchbay: ${result.file}: put_groups[0].id must be a string\n`);
    assert.equal(result.exitCode, 1);
  });

  it("fails for a file that is not there", async () => {
    const result = await runCli(["services", "apply", "-f", join(folder, "none")], { host: {} });
    assert.match(result.stderr, /^patchbay: Cannot read .*none: no such file or folder\n$/);
    assert.equal(result.exitCode, 1);
  });
});

describe("patchbay services wait", () => {
  it("waits for the newest revision of all, and of one Service", async () => {
    const requests: WaitProgrammedRequest[] = [];
    const waitProgrammed = async (request: WaitProgrammedRequest) => {
      requests.push(request);
      return { revision: 12, leftOut: [] };
    };
    const host = { waitProgrammed };
    const all = await runCli(["services", "wait"], { host });
    assert.equal(all.stdout, "Revision 12 is programmed\n");
    const args = ["services", "wait", "a/b", "--revision", "11", "--timeout", "0.5", "--json"];
    assert.equal(
      (await runCli(args, { host })).stdout,
      '{\n  "revision": 12,\n  "leftOut": []\n}\n',
    );
    assert.deepEqual(requests, [
      { revision: 0, service: "", timeoutMs: 10_000 },
      { revision: 11, service: "a/b", timeoutMs: 500 },
    ]);
  });

  it("names data planes that were not waited for", async () => {
    const waitProgrammed = async () => ({ revision: 12, leftOut: ["mirror: it hung up"] });
    const result = await runCli(["services", "wait"], { host: { waitProgrammed } });
    assert.equal(result.stdout, "Revision 12 is programmed\nNot waited for: mirror: it hung up\n");
  });

  const deadline = hostCallError("revision 12 is not programmed after 10 s, 11 is", {
    unreachable: true,
    code: 4,
  });

  it("exits 1 with the host's words when it takes too long", async () => {
    const host = { waitProgrammed: () => Promise.reject(deadline) };
    const result = await runCli(["services", "wait", "a/b"], { host });
    assert.equal(
      result.stderr,
      "patchbay: Cannot wait for the newest revision of a/b any longer: revision 12 is not programmed after 10 s, 11 is\n",
    );
    assert.equal(result.exitCode, 1);
  });

  it("exits 3 when the host hangs", async () => {
    let nowMs = 0;
    const waitProgrammed = () => {
      nowMs += 20_000;
      return Promise.reject(deadline);
    };
    const world = { host: { waitProgrammed }, now: () => nowMs };
    const result = await runCli(["services", "wait"], world);
    assert.match(result.stderr, /^patchbay: Plugin host below \/ did not answer within 20 s/);
    assert.equal(result.exitCode, 3);
  });

  it("says which Service is not there", async () => {
    const refusal = hostCallError("there is no Service a/b", { unreachable: false, code: 5 });
    const host = { waitProgrammed: () => Promise.reject(refusal) };
    const result = await runCli(["services", "wait", "a/b", "--revision", "3"], { host });
    assert.equal(
      result.stderr,
      "patchbay: Cannot wait for revision 3 of a/b: there is no Service a/b\n",
    );
    assert.equal(result.exitCode, 1);
  });
});
