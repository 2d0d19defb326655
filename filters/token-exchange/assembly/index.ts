import { acceptedConfiguration, Context, parseJson, RootContext, registerRootContext } from "@chancery/filter-sdk";
import { readSettings } from "./configuration";
import { Exchange, ExchangeStream } from "./exchange";

class ExchangeRoot extends RootContext {
  private exchange: Exchange | null = null;

  override onConfigure(_configuration_size: u32): bool {
    const json = parseJson(this.getConfiguration());
    this.exchange = json.problems.length === 0 ? new Exchange(this, readSettings(json)) : null;
    return acceptedConfiguration(json, "token-exchange");
  }

  override createContext(context_id: u32): Context {
    const exchange = this.exchange;
    // The proxy does not use a filter that rejected its configuration.
    if (!exchange) throw new Error("token-exchange has no configuration");
    return new ExchangeStream(context_id, this, exchange);
  }
}

registerRootContext((context_id: u32) => new ExchangeRoot(context_id), "token-exchange");
