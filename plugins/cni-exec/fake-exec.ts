import { basename } from "node:path";
import type { Exec, ExecAnswer, ExecOrder } from "./exec.ts";

/** One call of a fake CNI plugin, read. */
export interface FakeCall {
  readonly type: string;
  readonly verb: string;
  readonly env: Readonly<Record<string, string>>;
  readonly config: Readonly<Record<string, unknown>>;
}

/** What a fake plugin does: an object is its standard output. Throws what Exec throws. */
export type FakeCniPlugin = (call: FakeCall) => Promise<object | undefined> | object | undefined;

/** An answer that is no success. */
export class FakeExit {
  readonly answer: ExecAnswer;

  constructor(exitCode: number, output: object | string, stderr = "") {
    const stdout = typeof output === "string" ? output : JSON.stringify(output);
    this.answer = { exitCode, signal: null, stdout, stderr };
  }
}

/** CNI plugins that are functions; remembers every call. */
export class FakeExec implements Exec {
  /** "ADD bridge 1.0.0", VERSION left out. */
  readonly log: string[] = [];
  readonly calls: FakeCall[] = [];
  readonly orders: ExecOrder[] = [];
  versionCalls = 0;
  /** By type. */
  readonly plugins = new Map<string, FakeCniPlugin>();
  /** By type; what VERSION answers. Absent: it does not know VERSION. */
  readonly versions = new Map<string, readonly string[]>();
  /** Called before each execution but VERSION: for crashes. */
  before: ((call: FakeCall) => void) | undefined;
  /** Called after each execution but VERSION. */
  after: ((call: FakeCall) => void) | undefined;

  async run(order: ExecOrder): Promise<ExecAnswer> {
    const type = basename(order.file);
    const verb = order.env["CNI_COMMAND"] ?? "";
    if (verb === "VERSION") {
      this.versionCalls++;
      const supportedVersions = this.versions.get(type);
      return supportedVersions ? success({ supportedVersions }) : new FakeExit(1, "what?").answer;
    }
    const config = JSON.parse(order.stdin) as Record<string, unknown>;
    const call: FakeCall = { type, verb, env: order.env, config };
    this.before?.(call);
    this.orders.push(order);
    this.calls.push(call);
    this.log.push(`${verb} ${type} ${String(config["cniVersion"])}`);
    const output = await this.plugins.get(type)?.(call);
    this.after?.(call);
    return output instanceof FakeExit ? output.answer : success(output);
  }
}

function success(output: object | undefined): ExecAnswer {
  const stdout = output ? JSON.stringify(output) : "";
  return { exitCode: 0, signal: null, stdout, stderr: "" };
}
