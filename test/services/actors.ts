import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { spawnInNetns } from "../e2e/harness.ts";
import type { CommandName, Commands, DialResult, Reply } from "./protocol.ts";

const repository = join(import.meta.dirname, "../..");
const pinnedNode = join(repository, "node_modules/node/bin/node");
const CALL_LIMIT_MS = 60_000;
/** Dials that one actor has in flight: more would only measure each other. */
const CALLS_AT_ONCE = 48;

/** A process in a namespace that serves and dials (actor.ts). Disposing of it ends it. */
export class Actor implements AsyncDisposable {
  readonly name: string;
  readonly #child: ChildProcess;
  readonly #calls = new Map<
    number,
    { resolve(output: unknown): void; reject(error: Error): void }
  >();
  readonly #waiting: (() => void)[] = [];
  readonly #errors: string[] = [];
  #running = 0;
  #nextId = 0;
  #ended = false;

  constructor(name: string, netns: string) {
    this.name = name;
    this.#child = spawnInNetns(netns, [pinnedNode, join(import.meta.dirname, "actor.ts")]);
    const { stdout, stderr, stdin } = this.#child;
    if (!stdout || !stderr || !stdin) throw new Error("An actor has no pipes");
    createInterface({ input: stdout }).on("line", (line) => this.#take(JSON.parse(line) as Reply));
    stderr.setEncoding("utf8").on("data", (text: string) => this.#errors.push(text));
    stdin.on("error", () => {});
    this.#child.once("close", () => {
      this.#ended = true;
      for (const call of this.#calls.values()) {
        call.reject(new Error(`Actor ${name} ended: ${this.#errors.join("")}`));
      }
      this.#calls.clear();
    });
  }

  /** Commands that only dial wait for their turn; all others are sent at once. */
  async call<Name extends CommandName>(
    command: Name,
    input: Commands[Name]["in"],
  ): Promise<Commands[Name]["out"]> {
    const inTurn = command === "dial" || command === "survey" || command === "sendInit";
    if (inTurn && this.#running >= CALLS_AT_ONCE) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else if (inTurn) this.#running++;
    try {
      return await this.#call(command, input);
    } finally {
      if (inTurn) {
        const next = this.#waiting.shift();
        if (next) next();
        else this.#running--;
      }
    }
  }

  dial(input: Commands["dial"]["in"]): Promise<DialResult> {
    return this.call("dial", input);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#ended) return;
    const closed = once(this.#child, "close");
    this.#child.stdin?.end();
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), 1000);
    await closed;
    clearTimeout(timer);
  }

  #call<Name extends CommandName>(
    command: Name,
    input: Commands[Name]["in"],
  ): Promise<Commands[Name]["out"]> {
    if (this.#ended) throw new Error(`Actor ${this.name} has ended: ${this.#errors.join("")}`);
    const id = ++this.#nextId;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#calls.delete(id);
        reject(new Error(`Actor ${this.name} did not answer ${command} ${JSON.stringify(input)}`));
      }, CALL_LIMIT_MS);
      this.#calls.set(id, {
        resolve(output) {
          clearTimeout(timer);
          resolve(output as Commands[Name]["out"]);
        },
        reject(error) {
          clearTimeout(timer);
          reject(error);
        },
      });
      this.#child.stdin?.write(`${JSON.stringify({ id, command, input })}\n`);
    });
  }

  #take(reply: Reply): void {
    const call = this.#calls.get(reply.id);
    this.#calls.delete(reply.id);
    if ("error" in reply) call?.reject(new Error(`Actor ${this.name}: ${reply.error}`));
    else call?.resolve(reply.output);
  }
}
