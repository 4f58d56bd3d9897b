import assert from "node:assert/strict";
import {
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { formatErrorChain } from "../../errors.ts";
import { FakeAuthority } from "./fake-authority.ts";
import { type ApiAccessOptions, readApiAccess } from "./read-api-access.ts";

/** A folder of a test's own, and what is looked for in it. */
class Place implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), "patchbay-access-"));
  readonly options: ApiAccessOptions = {
    kubeconfig: undefined,
    apiServers: [],
    environment: {},
    serviceAccountFolder: join(this.folder, "serviceaccount"),
    defaultKubeconfig: join(this.folder, "default-kubeconfig"),
  };

  write(name: string, text: string): string {
    const path = join(this.folder, name);
    mkdirSync(join(path, ".."), { recursive: true });
    // As those do who know what they do: nobody sees half a file.
    writeFileSync(`${path}.new`, text);
    renameSync(`${path}.new`, path);
    return path;
  }

  /** A kubeconfig of one user, its mapping as JSON. */
  writeKubeconfig(name: string, user: object, cluster: object = {}): string {
    return this.write(
      name,
      JSON.stringify({
        "current-context": "a",
        contexts: [{ name: "a", context: { cluster: "a", user: "a" } }],
        clusters: [{ name: "a", cluster: { server: "https://192.0.2.1:6443", ...cluster } }],
        users: [{ name: "a", user }],
      }),
    );
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

test("readApiAccess() takes --kubeconfig, the pod's account, KUBECONFIG, then the default file", async () => {
  using place = new Place();
  using authority = new FakeAuthority();
  const found = async (more: Partial<ApiAccessOptions> = {}) => {
    const access = await readApiAccess({ ...place.options, ...more });
    const { servers, token } = await access.credentials();
    return [access.source, ...servers.map((server) => server.origin), token];
  };
  place.writeKubeconfig("default-kubeconfig", { token: "t-default" });
  const fallback = [`kubeconfig ${place.options.defaultKubeconfig}`, "https://192.0.2.1:6443"];
  assert.deepEqual(await found(), [...fallback, "t-default"]);

  const named = place.writeKubeconfig("named", { token: "t-named" });
  const environment = { KUBECONFIG: named };
  const byName = [`kubeconfig ${named}`, "https://192.0.2.1:6443", "t-named"];
  assert.deepEqual(await found({ environment }), byName);

  place.write("serviceaccount/token", "t-pod\n");
  place.write("serviceaccount/ca.crt", authority.certificate);
  assert.deepEqual(await found({ environment }), byName, "no server is known for the account");
  const inPod = {
    ...environment,
    KUBERNETES_SERVICE_HOST: "fd00::1",
    KUBERNETES_SERVICE_PORT: "6443",
  };
  const account = `service account ${place.options.serviceAccountFolder}`;
  assert.deepEqual(await found({ environment: inPod }), [
    account,
    "https://[fd00::1]:6443",
    "t-pod",
  ]);
  const apiServers = ["https://192.0.2.7:6443", "https://192.0.2.8:6443"];
  assert.deepEqual(await found({ environment: inPod, apiServers }), [
    account,
    ...apiServers,
    "t-pod",
  ]);

  const given = place.writeKubeconfig("given", { token: "t-given" }, { server: undefined });
  assert.deepEqual(await found({ kubeconfig: given, environment: inPod, apiServers }), [
    `kubeconfig ${given}`,
    ...apiServers,
    "t-given",
  ]);
});

test("readApiAccess() says what was looked for, and what is wrong", async (t) => {
  using place = new Place();
  using authority = new FakeAuthority();
  const { folder, options } = place;
  const file = (name: string, text: string) => ({ kubeconfig: place.write(name, text) });
  const user = (name: string, fields: object, cluster: object = {}) => ({
    kubeconfig: place.writeKubeconfig(name, fields, cluster),
  });
  const cases: Record<string, readonly [Partial<ApiAccessOptions>, string | RegExp]> = {
    nothing: [
      {},
      `No way to the API server is known: --kubeconfig is not given, ${folder}/serviceaccount/token is not there, KUBECONFIG is not set, ${folder}/default-kubeconfig is not there`,
    ],
    "several files": [
      { environment: { KUBECONFIG: "/a:/b" } },
      "KUBECONFIG names several files (/a:/b): name one, or give --kubeconfig",
    ],
    "an absent file": [
      { kubeconfig: `${folder}/absent` },
      `Cannot read kubeconfig ${folder}/absent: ENOENT: no such file or directory, stat '${folder}/absent'`,
    ],
    "a folder": [
      { kubeconfig: folder },
      new RegExp(`^Cannot read kubeconfig ${folder}: (it is not a file|EISDIR.*)$`),
    ],
    "a huge file": [
      file("huge", " ".repeat((1 << 20) + 1)),
      `Cannot read kubeconfig ${folder}/huge: it has more than 1048576 bytes`,
    ],
    "a file that is none": [
      file("wrong", "a: b\n"),
      `Cannot use kubeconfig ${folder}/wrong: current-context is not set`,
    ],
    "no server": [
      user("serverless", {}, { server: "" }),
      `Cannot use kubeconfig ${folder}/serverless: the cluster has no server: set it, or give --api-server`,
    ],
    "a server that is none": [
      user("odd", {}, { server: "192.0.2.1:6443" }),
      /the server is "192\.0\.2\.1:6443", expected https:\/\/HOST:PORT$/,
    ],
    "another server that is none": [
      { ...user("fine", {}), apiServers: ["ftp://h"] },
      '--api-server: the server is "ftp://h", expected https://HOST:PORT',
    ],
    "an absent token": [
      user("tokenless", { tokenFile: "token" }),
      new RegExp(
        `^Cannot use kubeconfig ${folder}/tokenless: Cannot read users\\[0\\]\\.user\\.tokenFile ${folder}/token: ENOENT`,
      ),
    ],
    "an empty token": [
      user("empty", { tokenFile: place.write("empty-token", "\n") }),
      `Cannot use kubeconfig ${folder}/empty: Cannot read users[0].user.tokenFile ${folder}/empty-token: it is empty`,
    ],
    "a key of something else": [
      user("mismatch", {
        "client-certificate": place.write("a.crt", authority.issue("a").certificate),
        "client-key": place.write("b.key", authority.issue("b").key),
      }),
      new RegExp(
        `^Cannot use kubeconfig ${folder}/mismatch: Cannot use users\\[0\\]\\.user\\.client-certificate ${folder}/a\\.crt, users\\[0\\]\\.user\\.client-key ${folder}/b\\.key: `,
      ),
    ],
    "a token of two lines": [
      user("lines", { token: "a\nb" }),
      `Cannot use kubeconfig ${folder}/lines: The token has characters that no token has`,
    ],
    "a certificate that is none": [
      user(
        "broken",
        {},
        { "certificate-authority": place.write("ca", "-----BEGIN CERTIFICATE-----\n") },
      ),
      new RegExp(
        `^Cannot use kubeconfig ${folder}/broken: Cannot use clusters\\[0\\]\\.cluster\\.certificate-authority ${folder}/ca: `,
      ),
    ],
  };
  for (const [name, [more, message]] of Object.entries(cases)) {
    await t.test(name, () =>
      assert.rejects(readApiAccess({ ...options, ...more }), (error) => {
        assert.equal((error as { code?: string }).code, "INVALID_KUBECONFIG");
        const said = formatErrorChain(error);
        if (typeof message === "string") assert.equal(said, message);
        else assert.match(said, message);
        return true;
      }),
    );
  }
});

test("readApiAccess() follows the pod's token as kubelet swaps it", async () => {
  using place = new Place();
  using authority = new FakeAuthority();
  const folder = join(place.folder, "serviceaccount");
  const swap = (version: string, token: string): void => {
    place.write(`serviceaccount/..${version}/token`, token);
    place.write(`serviceaccount/..${version}/ca.crt`, authority.certificate);
    symlinkSync(`..${version}`, join(folder, "..data_tmp"));
    renameSync(join(folder, "..data_tmp"), join(folder, "..data"));
  };
  swap("v1", "one");
  for (const name of ["token", "ca.crt"]) symlinkSync(`..data/${name}`, join(folder, name));
  const environment = { KUBERNETES_SERVICE_HOST: "192.0.2.1" };
  const access = await readApiAccess({ ...place.options, environment });
  const { token, tls } = await access.credentials();
  assert.equal(token, "one");
  swap("v2", "two");
  const later = await access.credentials();
  assert.equal(later.token, "two");
  assert.equal(later.tls, tls, "the certificate authority is the same text");
  unlinkSync(join(folder, "..data"));
  assert.equal((await access.credentials()).token, "two", "what is gone for a moment stays");
});

test("readApiAccess() takes a renewed certificate when its key has come as well", async () => {
  using place = new Place();
  using authority = new FakeAuthority();
  const first = authority.issue("one");
  const second = authority.issue("two");
  const kubeconfig = place.writeKubeconfig("kubeconfig", {
    "client-certificate": place.write("client.crt", first.certificate),
    "client-key": place.write("client.key", first.key),
  });
  const access = await readApiAccess({ ...place.options, kubeconfig });
  const { tls } = await access.credentials();
  assert.equal((await access.credentials()).tls, tls);
  place.write("client.crt", second.certificate);
  assert.equal((await access.credentials()).tls, tls, "the key is still the old one");
  place.write("client.key", second.key);
  assert.notEqual((await access.credentials()).tls, tls);
});

test("readApiAccess() follows the kubeconfig itself, and keeps what it had of one that is broken", async () => {
  using place = new Place();
  const kubeconfig = place.writeKubeconfig("kubeconfig", { token: "one" });
  const access = await readApiAccess({ ...place.options, kubeconfig });
  const { tls } = await access.credentials();
  place.writeKubeconfig("kubeconfig", { token: "two" });
  const later = await access.credentials();
  assert.equal(later.token, "two");
  assert.equal(later.tls, tls, "the connection can stay");
  place.write("kubeconfig", "current-context: [\n");
  assert.equal((await access.credentials()).token, "two");
  place.writeKubeconfig("kubeconfig", { token: "three" }, { server: "https://192.0.2.2" });
  const last = await access.credentials();
  assert.deepEqual([last.token, last.servers[0]?.href], ["three", "https://192.0.2.2/"]);
});

test("readApiAccess() reads files anew after a refusal, even if they look the same", async () => {
  using place = new Place();
  const token = place.write("token", "one");
  const kubeconfig = place.writeKubeconfig("kubeconfig", { tokenFile: token });
  const access = await readApiAccess({ ...place.options, kubeconfig });
  place.write("token", "two");
  assert.equal((await access.credentials({ isRefused: true })).token, "two");
});
