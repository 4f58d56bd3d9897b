import type { EndpointPort } from "./model.ts";

/**
 * Texts and small arrays that a hundred thousand endpoints repeat, held once. Bounded: when a kind
 * has too many, it starts anew, which costs memory and nothing else.
 */
export class SharedTexts {
  #texts = new Map<string, string>();
  #names = new Map<string, readonly string[]>();
  #ports = new Map<string, readonly EndpointPort[]>();

  text(text: string): string {
    return keep(this.#texts, { key: text, value: text });
  }

  names(named: readonly { readonly name: string }[]): readonly string[] {
    const names = named.map(({ name }) => name);
    return keep(this.#names, { key: names.join("\0"), value: names });
  }

  ports(ports: readonly EndpointPort[]): readonly EndpointPort[] {
    let key = "";
    for (const { name, protocol, port } of ports) key += `${name}\0${protocol}\0${port}\0`;
    return keep(this.#ports, { key, value: ports });
  }
}

const maxShared = 20_000;

function keep<T>(shared: Map<string, T>, { key, value }: { key: string; value: T }): T {
  const held = shared.get(key);
  if (held !== undefined) return held;
  if (shared.size >= maxShared) shared.clear();
  shared.set(key, value);
  return value;
}
