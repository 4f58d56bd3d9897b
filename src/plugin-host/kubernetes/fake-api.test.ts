import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiError, type ApiQuery } from "./api.ts";
import { FakeApi } from "./fake-api.ts";

const SERVICES = "/api/v1/services";
const PODS = "/api/v1/pods";
const PARTIAL = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";

function service(name: string, labels: Record<string, string> = {}) {
  return { metadata: { namespace: "default", name, labels } };
}

/** "ADDED web@2" for each line of a stream that ends, or "error 410". */
async function watch(
  api: FakeApi,
  query: ApiQuery,
  { path = SERVICES, accept }: { path?: string; accept?: string } = {},
): Promise<string[]> {
  const seen: string[] = [];
  const { signal } = new AbortController();
  try {
    for await (const lines of api.stream({ path, query, signal, ...(accept ? { accept } : {}) })) {
      for (const line of lines) {
        const { type, object } = JSON.parse(line) as {
          type: string;
          object: { code?: number; metadata: { name?: string; resourceVersion?: string } };
        };
        const { name = "", resourceVersion = object.code } = object.metadata;
        seen.push(`${type} ${name}@${resourceVersion}`);
      }
    }
  } catch (error) {
    assert.ok(error instanceof ApiError);
    seen.push(`error ${error.status} ${error.message}`);
  }
  return seen;
}

test("FakeApi lists in pages of one version, and forgets them with the history", async () => {
  const api = new FakeApi();
  for (const name of ["a", "b", "c"]) api.put(SERVICES, service(name));
  const first = (await api.request({
    method: "GET",
    path: SERVICES,
    query: { limit: 2 },
  })) as { metadata: { resourceVersion: string; continue: string }; items: unknown[] };
  assert.equal(first.metadata.resourceVersion, "4");
  assert.equal(first.items.length, 2);
  api.put(SERVICES, service("d"));
  const next = {
    method: "GET",
    path: SERVICES,
    query: { continue: first.metadata.continue },
  } as const;
  const second = (await api.request(next)) as { items: { metadata: { name: string } }[] };
  assert.deepEqual(
    second.items.map((item) => item.metadata.name),
    ["c"],
  );
  api.compact();
  await assert.rejects(api.request(next), { status: 410, reason: "Expired" });
});

test("FakeApi gives a list by a watch, closed by the annotated bookmark, then changes", async () => {
  const api = new FakeApi();
  api.put(SERVICES, service("web"));
  const seen = watch(api, {
    sendInitialEvents: true,
    resourceVersionMatch: "NotOlderThan",
    allowWatchBookmarks: true,
    labelSelector: "!headless",
  });
  await api.until(() => api.streams() === 1);
  api.put(SERVICES, service("dns", { headless: "" }));
  api.put(SERVICES, service("web", { headless: "" }));
  api.put(SERVICES, service("web"));
  api.remove(SERVICES, "default/web");
  api.bookmark();
  api.endStreams();
  assert.deepEqual(await seen, [
    "ADDED web@2",
    "BOOKMARK @2",
    "DELETED web@4",
    "ADDED web@5",
    "DELETED web@6",
    "BOOKMARK @6",
  ]);
});

test("FakeApi resumes a watch from a version, unless it is forgotten", async () => {
  const api = new FakeApi();
  api.put(SERVICES, service("a"));
  api.put(SERVICES, service("b"));
  const resumed = watch(api, { resourceVersion: "2" });
  await api.until(() => api.streams() === 1);
  api.breakStreams();
  assert.deepEqual(await resumed, ["ADDED b@3", "error 0 Stream broken off"]);
  api.advance();
  api.compact();
  assert.deepEqual(await watch(api, { resourceVersion: "2" }), ["ERROR @410"]);
  api.expiredBy = "answer";
  assert.deepEqual(await watch(api, { resourceVersion: "2" }), [
    "error 410 too old resource version: 2 (4)",
  ]);
});

test("FakeApi breaks, refuses and is down as told", async () => {
  const api = new FakeApi();
  for (const name of ["a", "b", "c"]) api.put(SERVICES, service(name));
  api.breakNextStream(SERVICES, 2);
  assert.deepEqual(await watch(api, {}), ["ADDED a@2", "ADDED b@3", "error 0 Stream broken off"]);
  assert.deepEqual(
    await watch(api, {
      resourceVersion: "99",
      sendInitialEvents: true,
      resourceVersionMatch: "NotOlderThan",
    }),
    ["ERROR @504"],
  );
  await assert.rejects(
    api.request({ method: "GET", path: SERVICES, query: { resourceVersion: "99", limit: 1 } }),
    { status: 504, message: "Timeout: Too large resource version: 99, current: 4" },
  );
  api.fail(SERVICES, new ApiError("no", { status: 403, reason: "Forbidden" }));
  assert.deepEqual(await watch(api, {}), ["error 403 no"]);
  assert.deepEqual(await watch(api, {}, { path: "/apis/k8s.cni.cncf.io/v1/ipamclaims" }), [
    "error 404 the server could not find the requested resource",
  ]);
  api.down();
  assert.match((await watch(api, {}))[0] ?? "", /^error 0 Cannot connect/);
});

test("FakeApi tells a watch from the future nothing", async () => {
  const api = new FakeApi();
  const seen = watch(api, { resourceVersion: "3", allowWatchBookmarks: true });
  await api.until(() => api.streams() === 1);
  api.put(SERVICES, service("a"));
  api.put(SERVICES, service("b"));
  api.goBackTo(2);
  api.bookmark();
  api.advance(5);
  api.put(SERVICES, service("c"));
  api.endStreams();
  assert.deepEqual(await seen, ["ADDED c@8"]);
});

test("FakeApi selects pods by their node and shows their metadata alone", async () => {
  const api = new FakeApi();
  for (const name of ["a", "b"]) {
    api.put(PODS, {
      metadata: { namespace: "default", name },
      spec: { nodeName: name === "a" ? "here" : "there" },
    });
  }
  const list = (await api.request({
    method: "GET",
    path: PODS,
    query: { fieldSelector: "spec.nodeName=here" },
    accept: PARTIAL,
  })) as { items: object[] };
  assert.deepEqual(
    list.items.map((item) => Object.keys(item)),
    [["kind", "apiVersion", "metadata"]],
  );
});

test("FakeApi patches under the uid that is named, and no other", async () => {
  const api = new FakeApi();
  api.put(PODS, { metadata: { namespace: "default", name: "web", uid: "u1" } });
  const patch = (uid: string) =>
    api.request({
      method: "PATCH",
      path: "/api/v1/namespaces/default/pods/web/status",
      contentType: "application/merge-patch+json",
      body: { metadata: { uid, annotations: { key: "value" } } },
    });
  await assert.rejects(patch("u2"), { status: 422, reason: "Invalid" });
  await patch("u1");
  assert.deepEqual(api.find(PODS, "default/web")?.metadata.annotations, { key: "value" });
  assert.equal(api.count("patch"), 2);
});
