import type { Clock } from "../../core/ports.ts";
import { type ListenerEvent, ListenerSet, type ListenerSpec } from "../listening/listener-set.ts";
import { answerHealthz, answerLivez } from "./health-answer.ts";
import { type HttpAnswer, type HttpListener, openHttp } from "./http-listener.ts";
import type { ProxyHealth } from "./proxy-health.ts";

/** Where kube-proxy serves /healthz: load balancers and the autoscaler look there. */
export const HEALTHZ_PLACE: HealthzPlace = { address: "0.0.0.0", port: 10_256 };

export interface HealthzPlace {
  readonly address: string;
  /** 0: the kernel picks. */
  readonly port: number;
}

/** One answer given: proxy_healthz_total{code} and proxy_livez_total{code} count them. */
export interface HealthzAnswered {
  readonly path: "/healthz" | "/livez";
  readonly code: 200 | 503;
}

/**
 * Serves /healthz and /livez on one address. A port that somebody else has is reported and tried
 * again: the host goes on without.
 */
export class ProxyHealthServer {
  readonly #health: ProxyHealth;
  readonly #onAnswer: (answered: HealthzAnswered) => void;
  readonly #listeners: ListenerSet<ListenerSpec & HealthzPlace>;
  readonly #open = new Map<string, HttpListener>();

  constructor(
    health: ProxyHealth,
    options: {
      readonly clock: Clock;
      readonly onAnswer: (answered: HealthzAnswered) => void;
      /** Keys are "0.0.0.0|10256". */
      readonly onEvent: (event: ListenerEvent) => void;
    },
  ) {
    this.#health = health;
    this.#onAnswer = options.onAnswer;
    this.#listeners = new ListenerSet((place) => this.#listen(place), options);
  }

  /** Serves here, and nowhere else. undefined: nowhere. Resolves when it listens, or could not. */
  async update(place: HealthzPlace | undefined): Promise<void> {
    const key = place && `${place.address}|${place.port}`;
    const spec = place && key !== undefined ? [[key, { key, ...place }] as const] : [];
    this.#listeners.reconcile(new Map(spec));
    await this.#listeners.settled();
  }

  /** The port that is served on; undefined: none. */
  port(): number | undefined {
    return [...this.#open.values()][0]?.port;
  }

  /** Frees the port and ends all connections. */
  close(): Promise<void> {
    return this.#listeners.close();
  }

  async #listen(spec: ListenerSpec & HealthzPlace): Promise<HttpListener> {
    const listener = await openHttp(spec, { answer: (path) => this.#answer(path) });
    this.#open.set(spec.key, listener);
    return {
      port: listener.port,
      close: () => {
        this.#open.delete(spec.key);
        listener.close();
      },
    };
  }

  #answer(path: string): HttpAnswer | undefined {
    if (path !== "/healthz" && path !== "/livez") return undefined;
    const report = this.#health.report();
    const answer = path === "/healthz" ? answerHealthz(report) : answerLivez(report);
    this.#onAnswer({ path, code: answer.code === 200 ? 200 : 503 });
    return answer;
  }
}
