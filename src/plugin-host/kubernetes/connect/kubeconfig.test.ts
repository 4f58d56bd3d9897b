import assert from "node:assert/strict";
import { test } from "node:test";
import { parseKubeconfig } from "./kubeconfig.ts";

const PEM = "-----BEGIN CERTIFICATE-----\nQQ==\n-----END CERTIFICATE-----\n";
const DATA = Buffer.from(PEM).toString("base64");

/** A kubeconfig whose context "here" has this cluster and this user, by the lines of their mappings. */
function kubeconfig(cluster: readonly string[], user: readonly string[]): string {
  return `apiVersion: v1
kind: Config
preferences: {}
current-context: here
contexts:
- name: else
  context: {cluster: nowhere, user: nobody}
- name: here
  context:
    cluster: c1
    user: u1
clusters:
- name: c1
  cluster:
    server: https://192.0.2.1:6443
${cluster.map((line) => `    ${line}\n`).join("")}users:
- name: u1
  user:
    ignored: true
${user.map((line) => `    ${line}\n`).join("")}`;
}

const parse = (text: string) => parseKubeconfig(text, "/etc/kubernetes/kubelet.conf");

test("parseKubeconfig() reads the current context", async () => {
  const text = kubeconfig(
    ["certificate-authority: ../ca.crt", "tls-server-name: kubernetes"],
    [
      `client-certificate-data: ${DATA}`,
      "client-key: /var/lib/kubelet/pki/current.pem",
      "client-certificate: ignored.crt",
      "token: ignored",
      "tokenFile: token",
    ],
  );
  assert.deepEqual(await parse(text), {
    server: "https://192.0.2.1:6443",
    serverName: "kubernetes",
    isInsecure: false,
    ca: {
      kind: "file",
      field: "clusters[0].cluster.certificate-authority",
      path: "/etc/ca.crt",
    },
    certificate: { kind: "text", field: "users[0].user.client-certificate-data", text: PEM },
    key: {
      kind: "file",
      field: "users[0].user.client-key",
      path: "/var/lib/kubelet/pki/current.pem",
    },
    token: { kind: "file", field: "users[0].user.tokenFile", path: "/etc/kubernetes/token" },
  });
});

test("parseKubeconfig() reads JSON, and contexts without a user", async () => {
  const text = JSON.stringify({
    "current-context": "a",
    contexts: [{ name: "a", context: { cluster: "c" } }],
    clusters: [{ name: "c", cluster: { server: "http://127.0.0.1:8080" } }],
    users: null,
  });
  const { server, token, ca } = await parse(text);
  assert.deepEqual([server, token, ca], ["http://127.0.0.1:8080", undefined, undefined]);
});

test("parseKubeconfig() says which field is wrong and why", async (t) => {
  const minimal = { "current-context": "a", contexts: [{ name: "a", context: { cluster: "c" } }] };
  const cases: Record<string, readonly [text: string, message: string | RegExp]> = {
    "no YAML": ["a: [", /./],
    "two documents": ["a: 1\n---\nb: 2\n", "it has 2 documents, expected 1"],
    "an empty file": ["", "it has 0 documents, expected 1"],
    "a list": ["- 1\n", "the file is not a mapping"],
    "no context": ["apiVersion: v1\n", "current-context is not set"],
    "an unknown context": ["current-context: a\n", 'contexts has none of the name "a"'],
    "contexts that are no list": [
      '{"current-context": "a", "contexts": {}}',
      "contexts is not a list",
    ],
    "a context that is none": [
      '{"current-context": "a", "contexts": [7]}',
      "contexts[0] is not a mapping",
    ],
    "an unknown cluster": [JSON.stringify(minimal), 'clusters has none of the name "c"'],
    "a server that is no text": [
      JSON.stringify({ ...minimal, clusters: [{ name: "c", cluster: { server: 1 } }] }),
      "clusters[0].cluster.server is not a text",
    ],
    "a certificate without its key": [
      kubeconfig([], [`client-certificate-data: ${DATA}`]),
      "users[0].user.client-key is missing: certificate and key go together",
    ],
    "a key without its certificate": [
      kubeconfig([], ["client-key: k"]),
      "users[0].user.client-certificate is missing: certificate and key go together",
    ],
    "data that is no PEM": [
      kubeconfig(["certificate-authority-data: aGVsbG8="], []),
      "clusters[0].cluster.certificate-authority-data is not the base64 of PEM",
    ],
    "an authority that is not to be asked": [
      kubeconfig(["insecure-skip-tls-verify: true", "certificate-authority: ca"], []),
      "clusters[0].cluster.insecure-skip-tls-verify stands beside clusters[0].cluster.certificate-authority: keep one of them",
    ],
    "a flag that is none": [
      kubeconfig(['insecure-skip-tls-verify: "yes"'], []),
      "clusters[0].cluster.insecure-skip-tls-verify is not true or false",
    ],
    "a proxy": [
      kubeconfig(["proxy-url: socks5://p"], []),
      "clusters[0].cluster.proxy-url is not supported; use a server that is reached directly, or --api-server",
    ],
    exec: [
      kubeconfig([], ["exec: {command: aws}"]),
      "users[0].user.exec is not supported; use a token, tokenFile or client certificate: no program is run for credentials",
    ],
    "auth-provider": [
      kubeconfig([], ["auth-provider: {name: gcp}"]),
      "users[0].user.auth-provider is not supported; use a token, tokenFile or client certificate",
    ],
    username: [
      kubeconfig([], ["username: a"]),
      /^users\[0\]\.user\.username is not supported; use/,
    ],
    password: [
      kubeconfig([], ["password: a"]),
      /^users\[0\]\.user\.password is not supported; use/,
    ],
    as: [
      kubeconfig([], ["as: admin"]),
      "users[0].user.as is not supported; use a user with the rights that are needed",
    ],
  };
  for (const [name, [text, message]] of Object.entries(cases)) {
    await t.test(name, () => assert.rejects(parse(text), { message }));
  }
});
