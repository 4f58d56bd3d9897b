import { existsSync } from "node:fs";
import { isIPv6 } from "node:net";
import { join } from "node:path";
import { PatchbayError } from "../../errors.ts";
import type { ApiAccess, ApiCredentials } from "./api-access.ts";
import { CredentialFile } from "./credential-file.ts";
import { type Kubeconfig, type Material, parseKubeconfig } from "./kubeconfig.ts";
import { type Pem, TlsIdentities } from "./tls-identities.ts";

export interface ApiAccessOptions {
  /** --kubeconfig. */
  readonly kubeconfig: string | undefined;
  /** --api-server: in place of the server that kubeconfig or environment name. */
  readonly apiServers: readonly string[];
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** What kubelet mounts into pods. */
  readonly serviceAccountFolder?: string;
  /** Read where nothing else is there. */
  readonly defaultKubeconfig?: string;
}

const SERVICE_ACCOUNT_FOLDER = "/var/run/secrets/kubernetes.io/serviceaccount";
const DEFAULT_KUBECONFIG = "/etc/patchbay/kubeconfig";

/**
 * Finds out how the API server is reached: --kubeconfig; else the service account of the pod that this
 * runs in; else $KUBECONFIG; else /etc/patchbay/kubeconfig. Reads it once, to say now what is wrong with it.
 * Throws PatchbayError INVALID_KUBECONFIG that names file, field and reason, or what was looked for.
 */
export async function readApiAccess(options: ApiAccessOptions): Promise<ApiAccess> {
  const access = findApiAccess(options);
  await access.credentials();
  return access;
}

function findApiAccess({
  kubeconfig,
  apiServers,
  environment = process.env,
  serviceAccountFolder = SERVICE_ACCOUNT_FOLDER,
  defaultKubeconfig = DEFAULT_KUBECONFIG,
}: ApiAccessOptions): ApiAccess {
  const servers = apiServers.map((server) => parseServer(server, "--api-server"));
  if (kubeconfig !== undefined) return new FileAccess(kubeconfig, servers);
  const token = join(serviceAccountFolder, "token");
  const host = environment["KUBERNETES_SERVICE_HOST"] ?? "";
  if (existsSync(token) && (host !== "" || servers.length > 0)) {
    return new PodAccess(
      serviceAccountFolder,
      servers.length > 0 ? servers : [inCluster(environment)],
    );
  }
  const named = environment["KUBECONFIG"] ?? "";
  if (named.includes(":")) {
    throw invalid(`KUBECONFIG names several files (${named}): name one, or give --kubeconfig`);
  }
  if (named !== "") return new FileAccess(named, servers);
  if (existsSync(defaultKubeconfig)) return new FileAccess(defaultKubeconfig, servers);
  const missing = existsSync(token)
    ? `KUBERNETES_SERVICE_HOST is not set beside ${token}`
    : `${token} is not there`;
  throw invalid(
    `No way to the API server is known: --kubeconfig is not given, ${missing}, ` +
      `KUBECONFIG is not set, ${defaultKubeconfig} is not there`,
  );
}

function inCluster(environment: Readonly<Record<string, string | undefined>>): URL {
  const host = environment["KUBERNETES_SERVICE_HOST"] ?? "";
  const port = environment["KUBERNETES_SERVICE_PORT"] ?? "443";
  const name = isIPv6(host) ? `[${host}]` : host;
  return parseServer(`https://${name}:${port}`, "KUBERNETES_SERVICE_HOST and _PORT");
}

/** The service account that kubelet mounts, its token renewed every hour or so. */
class PodAccess implements ApiAccess {
  readonly source: string;
  readonly #credentials: Credentials;

  constructor(folder: string, servers: readonly URL[]) {
    this.source = `service account ${folder}`;
    const token = { kind: "file", field: "token", path: join(folder, "token") } as const;
    const ca = {
      kind: "file",
      field: "certificate authority",
      path: join(folder, "ca.crt"),
    } as const;
    const kubeconfig = {
      server: "",
      serverName: "",
      isInsecure: false,
      ca,
      certificate: undefined,
      key: undefined,
      token,
    };
    this.#credentials = new Credentials(kubeconfig, { servers, identities: new TlsIdentities() });
  }

  async credentials(options: { readonly isRefused?: boolean } = {}): Promise<ApiCredentials> {
    return this.#credentials.read(options);
  }
}

/** A kubeconfig, which may be written anew while the host runs. */
class FileAccess implements ApiAccess {
  readonly source: string;
  readonly #file: CredentialFile;
  readonly #servers: readonly URL[];
  readonly #identities = new TlsIdentities();
  #text = "";
  #credentials: Credentials | undefined;

  constructor(path: string, servers: readonly URL[]) {
    this.source = `kubeconfig ${path}`;
    this.#file = new CredentialFile(path, "kubeconfig");
    this.#servers = servers;
  }

  async credentials(options: { readonly isRefused?: boolean } = {}): Promise<ApiCredentials> {
    const text = this.#file.read();
    if (text === this.#text && this.#credentials) return this.#credentials.read(options);
    const before = this.#credentials;
    try {
      const credentials = await this.#parse(text);
      const read = credentials.read(options);
      this.#credentials = credentials;
      this.#text = text;
      return read;
    } catch (cause) {
      if (before) return before.read(options);
      throw new PatchbayError("INVALID_KUBECONFIG", `Cannot use ${this.source}`, { cause });
    }
  }

  async #parse(text: string): Promise<Credentials> {
    const kubeconfig = await parseKubeconfig(text, this.#file.path);
    const { server } = kubeconfig;
    if (server === "" && this.#servers.length === 0) {
      throw new Error("the cluster has no server: set it, or give --api-server");
    }
    const servers =
      this.#servers.length > 0 ? this.#servers : [parseServer(server, "cluster.server")];
    return new Credentials(kubeconfig, { servers, identities: this.#identities });
  }
}

/** Reads what a kubeconfig refers to, again when it changes. */
class Credentials {
  readonly #servers: readonly URL[];
  readonly #kubeconfig: Kubeconfig;
  readonly #identities: TlsIdentities;
  readonly #files = new Map<Material, CredentialFile>();

  constructor(
    kubeconfig: Kubeconfig,
    {
      servers,
      identities,
    }: { readonly servers: readonly URL[]; readonly identities: TlsIdentities },
  ) {
    this.#servers = servers;
    this.#kubeconfig = kubeconfig;
    this.#identities = identities;
  }

  read(options: { readonly isRefused?: boolean }): ApiCredentials {
    const { ca, certificate, key, serverName, isInsecure } = this.#kubeconfig;
    const token = this.#read(this.#kubeconfig.token, options)?.text.trim() ?? "";
    if (!/^[\x21-\x7e]*$/.test(token)) throw invalid("The token has characters that no token has");
    const tls = this.#identities.of({
      ca: this.#read(ca, options),
      certificate: this.#read(certificate, options),
      key: this.#read(key, options),
      serverName,
      isInsecure,
    });
    return { servers: this.#servers, token, tls };
  }

  #read(
    material: Material | undefined,
    options: { readonly isRefused?: boolean },
  ): Pem | undefined {
    if (material === undefined) return undefined;
    if (material.kind === "text") return { text: material.text, name: material.field };
    const file = this.#files.get(material) ?? new CredentialFile(material.path, material.field);
    this.#files.set(material, file);
    return { text: file.read(options), name: `${material.field} ${material.path}` };
  }
}

function parseServer(text: string, place: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isPlain =
    url && url.username === "" && url.password === "" && url.search === "" && url.hash === "";
  if (!isPlain || (url.protocol !== "https:" && url.protocol !== "http:")) {
    throw invalid(`${place}: the server is ${JSON.stringify(text)}, expected https://HOST:PORT`);
  }
  return url;
}

function invalid(message: string): PatchbayError {
  return new PatchbayError("INVALID_KUBECONFIG", message);
}
