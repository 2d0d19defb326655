import { request } from "node:http";
import type { ListenAddress, ListenerState } from "./running-envoy.ts";

const requestLimitMs = 5_000;

/** Reads Envoy's admin interface. */
export class EnvoyAdmin {
  readonly address: ListenAddress;

  constructor(address: ListenAddress) {
    this.address = address;
  }

  async get(path: string): Promise<string> {
    const { status, body } = await this.#request(path);
    if (status !== 200) throw new Error(`Envoy's admin answered ${status} to ${path}: ${body.trim()}`);
    return body;
  }

  async isReady(): Promise<boolean> {
    return (await this.#request("/ready")).status === 200;
  }

  async dynamicListeners(): Promise<readonly ListenerState[]> {
    const dump = JSON.parse(await this.get("/config_dump?resource=dynamic_listeners")) as {
      configs?: DynamicListener[];
    };
    const addresses = await this.#activeListeners();
    return (dump.configs ?? []).map((listener) => {
      const address = addresses.get(listener.name);
      const rejection = listener.error_state?.details;
      return {
        name: listener.name,
        ...(address === undefined ? {} : { address }),
        ...(rejection === undefined ? {} : { rejection }),
      };
    });
  }

  async listenerPort(name: string): Promise<number> {
    const listeners = await this.#activeListeners();
    const address = listeners.get(name);
    if (address !== undefined) return address.port;
    throw new Error(`Envoy has no listener "${name}"; it has ${[...listeners.keys()].join(", ") || "none"}`);
  }

  async stats(pattern: string): Promise<ReadonlyMap<string, number>> {
    const text = await this.get(`/stats?format=json&filter=${encodeURIComponent(pattern)}`);
    const { stats } = JSON.parse(text) as { stats: { name?: string; value?: number }[] };
    const values = new Map<string, number>();
    for (const { name, value } of stats) if (name !== undefined && typeof value === "number") values.set(name, value);
    return values;
  }

  async #activeListeners(): Promise<ReadonlyMap<string, ListenAddress>> {
    const { listener_statuses: statuses = [] } = JSON.parse(await this.get("/listeners?format=json")) as {
      listener_statuses?: {
        name: string;
        local_address: { socket_address?: { address: string; port_value: number } };
      }[];
    };
    const addresses = new Map<string, ListenAddress>();
    for (const { name, local_address } of statuses) {
      const socket = local_address.socket_address;
      if (socket !== undefined) addresses.set(name, { host: socket.address, port: socket.port_value });
    }
    return addresses;
  }

  #request(path: string): Promise<{ status: number; body: string }> {
    return new Promise((resolve, reject) => {
      const sent = request({ ...this.address, path, agent: false, timeout: requestLimitMs }, (response) => {
        let body = "";
        response.setEncoding("utf8").on("data", (text: string) => {
          body += text;
        });
        response.on("end", () => resolve({ status: response.statusCode ?? 0, body })).on("error", reject);
      });
      sent.on("timeout", () =>
        sent.destroy(new Error(`Envoy's admin did not answer ${path} within ${requestLimitMs} ms`)),
      );
      sent.on("error", reject).end();
    });
  }
}

interface DynamicListener {
  readonly name: string;
  readonly error_state?: { readonly details?: string };
}
