import {
  acceptedConfiguration,
  Context,
  Counter,
  FilterHeadersStatusValues,
  get_current_time_nanoseconds,
  parseJson,
  RootContext,
  registerRootContext,
  sha256At,
  stream_context,
} from "@chancery/filter-sdk";
import { readSettings } from "./configuration";
import { Key } from "./keys";
import { takenFrom } from "./query";
import { Denial, Settings } from "./settings";

const allowed = new Counter("api_key.allowed");
const denied = new Counter("api_key.denied");
const exempt = new Counter("api_key.exempt");

/** The hash of the current request's key. */
const presented: usize = memory.data(32, 8);

class ApiKeyRoot extends RootContext {
  settings: Settings | null = null;

  override onConfigure(_configuration_size: u32): bool {
    const json = parseJson(this.getConfiguration());
    this.settings = json.problems.length === 0 ? readSettings(json) : null;
    return acceptedConfiguration(json, "api-key");
  }

  override createContext(context_id: u32): Context {
    const settings = this.settings;
    // The proxy does not use a filter that rejected its configuration.
    if (!settings) throw new Error("api-key has no configuration");
    return new ApiKeyContext(context_id, this, settings);
  }
}

class ApiKeyContext extends Context {
  private settings: Settings;

  constructor(context_id: u32, root: RootContext, settings: Settings) {
    super(context_id, root);
    this.settings = settings;
  }

  override onRequestHeaders(_headers: u32, _end_of_stream: bool): FilterHeadersStatusValues {
    const settings = this.settings;
    // This comes first, so that rejected and exempt requests leave no key in the access log either.
    const hasKey = this.takeKey();
    const path = pathWithoutQuery(stream_context.headers.request.get(":path"));
    if (settings.exempts(path)) {
      exempt.increment(1);
      return FilterHeadersStatusValues.Continue;
    }
    if (!hasKey) return rejected(settings.missing, "unknown");
    const key = settings.keys.find(presented);
    if (!key) return rejected(settings.unknown, "unknown");
    if (hasExpired(key)) return rejected(settings.expired, key.name);
    if (!key.allowsPath(path)) return rejected(settings.path, key.name);
    if (!methodAllowed(key)) return rejected(settings.method, key.name);
    allowed.tag("client", key.name).increment(1);
    stream_context.headers.request.add(settings.identityHeader, key.name);
    return FilterHeadersStatusValues.Continue;
  }

  /** Removes the key and the identity header from the request. Sets `presented`. False when the request has no key. */
  private takeKey(): bool {
    const settings = this.settings;
    const headers = stream_context.headers.request;
    let hasKey = headers.sha256(settings.header, presented);
    const hasHeader = headers.has(settings.header);
    const claims = headers.has(settings.identityHeader);
    if (settings.query !== "") {
      const taken = takenFrom(headers.get(":path"), settings.query);
      const value = taken.value;
      if (value !== null) {
        if (!hasKey && value.byteLength > 0) {
          sha256At(changetype<usize>(value), value.byteLength, presented);
          hasKey = true;
        }
        headers.replace(":path", taken.rest);
      }
    }
    if (hasHeader) headers.remove(settings.header);
    if (claims) headers.remove(settings.identityHeader);
    return hasKey;
  }
}

function rejected(denial: Denial, client: string): FilterHeadersStatusValues {
  denied.tag("client", client).tag("reason", denial.reason).increment(1);
  return denial.rejection.send();
}

function hasExpired(key: Key): bool {
  return key.expires !== 0 && <i64>(get_current_time_nanoseconds() / 1_000_000_000) >= key.expires;
}

function methodAllowed(key: Key): bool {
  for (let i = 0; i < key.methods.length; i++) {
    if (stream_context.headers.request.equals(":method", key.methods[i])) return true;
  }
  return key.methods.length === 0;
}

function pathWithoutQuery(path: string): string {
  const query = path.indexOf("?");
  return query < 0 ? path : path.substring(0, query);
}

registerRootContext((context_id: u32) => new ApiKeyRoot(context_id), "api-key");
