import { Agent, request } from "node:https";
import { readFileSync } from "node:fs";
import { ADDRESSES } from "./addresses.ts";
import type { Certificates } from "./certificates.ts";

const LIMIT_MS = 10_000;

/** An object of the API as JSON has it: tests know what they ask for. */
// oxlint-disable-next-line typescript/no-explicit-any
export type Json = any;

/** Short questions to the API server, as the administrator: kubectl takes a tenth of a second for each. */
export class ApiClient {
  readonly #agent: Agent;

  constructor(certificates: Certificates) {
    this.#agent = new Agent({
      keepAlive: true,
      ca: readFileSync(certificates.file("ca.crt")),
      cert: readFileSync(certificates.file("admin.crt")),
      key: readFileSync(certificates.file("admin.key")),
    });
  }

  async get(path: string): Promise<Json> {
    return await this.call("GET", path);
  }

  /** Like get(), undefined where there is none. */
  async find(path: string): Promise<Json> {
    return await this.get(path).catch((error: unknown) => {
      if (error instanceof ApiFailure && error.status === 404) return undefined;
      throw error;
    });
  }

  async create(path: string, object: object): Promise<Json> {
    return await this.call("POST", path, { body: object });
  }

  async merge(path: string, patch: object): Promise<Json> {
    return await this.call("PATCH", path, { body: patch, type: "application/merge-patch+json" });
  }

  async delete(path: string, options: object = {}): Promise<void> {
    await this.call("DELETE", path, { body: options });
  }

  async call(
    method: string,
    path: string,
    { body, type = "application/json" }: { body?: object; type?: string } = {},
  ): Promise<Json> {
    const { status, text } = await this.#send(method, path, { body, type });
    if (status >= 300) throw new ApiFailure(`${method} ${path}: ${status} ${text}`, status);
    try {
      return JSON.parse(text);
    } catch {
      return text;
    }
  }

  close(): void {
    this.#agent.destroy();
  }

  #send(
    method: string,
    path: string,
    { body, type }: { body: object | undefined; type: string },
  ): Promise<{ status: number; text: string }> {
    return new Promise((resolve, reject) => {
      const outgoing = request(
        `${ADDRESSES.apiServer}${path}`,
        { method, agent: this.#agent, timeout: LIMIT_MS, headers: { "content-type": type } },
        (answer) => {
          const chunks: Buffer[] = [];
          answer.on("data", (chunk: Buffer) => chunks.push(chunk));
          answer.on("error", reject);
          answer.on("end", () => {
            resolve({
              status: answer.statusCode ?? 0,
              text: Buffer.concat(chunks).toString("utf8"),
            });
          });
        },
      );
      outgoing.on("timeout", () => {
        outgoing.destroy(new Error(`${method} ${path}: no answer for ${LIMIT_MS} ms`));
      });
      outgoing.on("error", reject);
      outgoing.end(body ? JSON.stringify(body) : undefined);
    });
  }
}

/** What the API server refuses, with its status of HTTP. */
export class ApiFailure extends Error {
  readonly status: number;

  constructor(message: string, status: number) {
    super(message);
    this.status = status;
  }
}
