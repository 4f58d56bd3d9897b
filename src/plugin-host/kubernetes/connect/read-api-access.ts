import { existsSync } from "node:fs";
import { isIPv6 } from "node:net";
import { join } from "node:path";
import { createSecureContext } from "node:tls";
import { PatchbayError } from "../../errors.ts";
import type { ApiAccess, ApiCredentials, TlsIdentity } from "./api-access.ts";
import { CredentialFile } from "./credential-file.ts";
import { type Kubeconfig, type Material, parseKubeconfig } from "./kubeconfig.ts";

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
    this.#credentials = new Credentials(servers, {
      server: "",
      serverName: "",
      isInsecure: false,
      ca,
      certificate: undefined,
      key: undefined,
      token,
    });
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
      if (cause instanceof PatchbayError) throw cause;
      throw new PatchbayError("INVALID_KUBECONFIG", `Cannot use ${this.source}`, { cause });
    }
  }

  async #parse(text: string): Promise<Credentials> {
    const kubeconfig = await parseKubeconfig(text, this.#file.path);
    if (this.#servers.length > 0) return new Credentials(this.#servers, kubeconfig);
    const { server } = kubeconfig;
    if (server === "") {
      throw new Error("the cluster has no server: set it, or give --api-server");
    }
    return new Credentials([parseServer(server, this.source)], kubeconfig);
  }
}

/** Reads what a kubeconfig refers to, again when it changes. */
class Credentials {
  readonly #servers: readonly URL[];
  readonly #kubeconfig: Kubeconfig;
  readonly #files = new Map<Material, CredentialFile>();
  /** CA, certificate and key as they were read for the identity. */
  #material: readonly string[] = [];
  #tls: TlsIdentity | undefined;

  constructor(servers: readonly URL[], kubeconfig: Kubeconfig) {
    this.#servers = servers;
    this.#kubeconfig = kubeconfig;
  }

  read(options: { readonly isRefused?: boolean }): ApiCredentials {
    const token = this.#text(this.#kubeconfig.token, options).trim();
    if (!/^[\x21-\x7e]*$/.test(token)) throw invalid("The token has characters that no token has");
    return { servers: this.#servers, token, tls: this.#identity(options) };
  }

  #identity(options: { readonly isRefused?: boolean }): TlsIdentity {
    const { ca, certificate, key, serverName, isInsecure } = this.#kubeconfig;
    const material = [ca, certificate, key].map((each) => this.#text(each, options));
    if (this.#tls && material.every((text, index) => text === this.#material[index])) {
      return this.#tls;
    }
    const [caText = "", certificateText = "", keyText = ""] = material;
    try {
      const context = createSecureContext({
        ...(caText !== "" && { ca: caText }),
        ...(certificateText !== "" && { cert: certificateText, key: keyText }),
      });
      this.#tls = { context, serverName, isInsecure };
      this.#material = material;
      return this.#tls;
    } catch (cause) {
      // Certificate and key are two files: between their renewals they do not match.
      if (this.#tls) return this.#tls;
      const names = [ca, certificate, key].flatMap((each) => (each ? [nameOf(each)] : []));
      throw new PatchbayError("INVALID_KUBECONFIG", `Cannot use ${names.join(", ")}`, { cause });
    }
  }

  #text(material: Material | undefined, options: { readonly isRefused?: boolean }): string {
    if (material === undefined) return "";
    if (material.kind === "text") return material.text;
    const file = this.#files.get(material) ?? new CredentialFile(material.path, material.field);
    this.#files.set(material, file);
    return file.read(options);
  }
}

function nameOf(material: Material): string {
  return material.kind === "file" ? `${material.field} ${material.path}` : material.field;
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
