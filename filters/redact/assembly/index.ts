import {
  acceptedConfiguration,
  BufferTypeValues,
  Context,
  Counter,
  FilterDataStatusValues,
  FilterHeadersStatusValues,
  FilterTrailersStatusValues,
  GrpcStatusValues,
  get_buffer_bytes,
  HeaderPair,
  MediaTypes,
  parseJson,
  RootContext,
  registerRootContext,
  replace_buffer_bytes,
  send_local_response,
  stream_context,
} from "@chancery/filter-sdk";
import { Rule, readRules } from "./configuration";
import { Redactor } from "./redactor";

const answers = new Counter("redact.answers");
const masked = new Counter("redact.masked");
const denied = new Counter("redact.denied");
const passed = new Counter("redact.passed");

class RedactRoot extends RootContext {
  rules: Rule[] = [];

  override onConfigure(_configuration_size: u32): bool {
    const json = parseJson(this.getConfiguration());
    if (json.problems.length === 0) this.rules = readRules(json);
    return acceptedConfiguration(json, "redact");
  }

  override createContext(context_id: u32): Context {
    return new RedactContext(context_id, this);
  }

  ruleOfRequest(): Rule | null {
    for (let i = 0; i < this.rules.length; i++) if (this.rules[i].match.matches()) return this.rules[i];
    return null;
  }
}

class RedactContext extends Context {
  private root: RedactRoot;
  /** The rule of the request; null when no rule matches, or when the answer is done. */
  private rule: Rule | null = null;
  private redactor: Redactor | null = null;
  private isHead: bool = false;
  /** The number of bytes of the answer so far. All of them are in the proxy's buffer. */
  private received: i64 = 0;
  private isChanged: bool = false;

  constructor(context_id: u32, root: RedactRoot) {
    super(context_id, root);
    this.root = root;
  }

  override onRequestHeaders(_headers: u32, _end_of_stream: bool): FilterHeadersStatusValues {
    this.rule = this.root.ruleOfRequest();
    if (!this.rule) return FilterHeadersStatusValues.Continue;
    const headers = stream_context.headers.request;
    this.isHead = headers.equals(":method", "HEAD");
    if (headers.has("accept-encoding")) headers.replace("accept-encoding", "identity");
    // A part of a JSON text cannot be read as JSON, or means something else.
    if (headers.has("range")) headers.remove("range");
    if (headers.has("if-range")) headers.remove("if-range");
    return FilterHeadersStatusValues.Continue;
  }

  override onResponseHeaders(_headers: u32, end_of_stream: bool): FilterHeadersStatusValues {
    const rule = this.rule;
    if (!rule) return FilterHeadersStatusValues.Continue;
    const headers = stream_context.headers.response;
    const type = headers.get("content-type");
    // An answer without a type may be JSON.
    const isJson = type === "" || rule.contentTypes.matches(type);
    if (end_of_stream) {
      // The masked answer to GET has another length, and perhaps another tag.
      if (this.isHead && isJson) forgetRepresentation();
      this.rule = null;
      return FilterHeadersStatusValues.Continue;
    }
    if (headers.equals(":status", "206") && (isJson || byteRanges.matches(type))) {
      return this.headersGoOn(this.deny("partial"));
    }
    if (!isJson) {
      this.rule = null;
      return FilterHeadersStatusValues.Continue;
    }
    if (headers.has("content-encoding") && headers.get("content-encoding") !== "identity") {
      return this.headersGoOn(this.deny("content-encoding"));
    }
    const length = headers.get("content-length");
    if (length !== "" && (length.length > 18 || I64.parseInt(length) > rule.maxBytes)) {
      return this.headersGoOn(this.goesOnThough("too-large", rule.passTooLarge));
    }
    this.redactor = new Redactor(rule.fields);
    return FilterHeadersStatusValues.StopIteration;
  }

  override onResponseBody(size: u32, end_of_stream: bool): FilterDataStatusValues {
    const redactor = this.redactor;
    const rule = this.rule;
    if (!redactor || !rule) return FilterDataStatusValues.Continue;
    const known = <u32>this.received;
    // Read the allowed bytes first, so that the result does not depend on the pieces of the answer.
    const read = <u32>min<i64>(size, rule.maxBytes) - known;
    this.received = size;
    let goesOn = true;
    if (read > 0) {
      const bytes = get_buffer_bytes(BufferTypeValues.HttpResponseBody, known, read);
      if (!redactor.read(changetype<usize>(bytes), bytes.byteLength)) {
        goesOn = this.goesOnThough("malformed", rule.passMalformed);
      }
    }
    if (goesOn && this.rule !== null && this.received > rule.maxBytes) {
      goesOn = this.goesOnThough("too-large", rule.passTooLarge);
    }
    if (goesOn && end_of_stream) goesOn = this.ends();
    if (!goesOn) return FilterDataStatusValues.StopIterationNoBuffer;
    return this.rule === null ? FilterDataStatusValues.Continue : FilterDataStatusValues.StopIterationAndBuffer;
  }

  override onResponseTrailers(_trailers: u32): FilterTrailersStatusValues {
    const goesOn = this.ends();
    if (this.isChanged)
      for (let i = 0; i < aboutBytes.length; i++) stream_context.trailers.response.remove(aboutBytes[i]);
    return goesOn ? FilterTrailersStatusValues.Continue : FilterTrailersStatusValues.StopIteration;
  }

  /** Ends the answer. True when it is sent. */
  private ends(): bool {
    const rule = this.rule;
    const redactor = this.redactor;
    if (!rule || !redactor) return true;
    if (this.received > 0 && !redactor.finish()) return this.goesOnThough("malformed", rule.passMalformed);
    this.rule = null;
    this.redactor = null;
    answers.tag("rule", rule.name).increment(1);
    if (redactor.count === 0) return true;
    masked.tag("rule", rule.name).increment(redactor.count);
    const body = get_buffer_bytes(BufferTypeValues.HttpResponseBody, 0, <u32>this.received);
    const redacted = redactor.redacted(body);
    const hadLength = stream_context.headers.response.has("content-length");
    forgetRepresentation();
    this.isChanged = true;
    if (hadLength) stream_context.headers.response.replace("content-length", redacted.byteLength.toString());
    replace_buffer_bytes(BufferTypeValues.HttpResponseBody, redacted);
    return true;
  }

  /** Handles an answer that cannot be masked. True when the rule lets it pass. */
  private goesOnThough(reason: string, allowed: bool): bool {
    if (!allowed) return this.deny(reason);
    const rule = this.rule;
    if (rule) passed.tag("rule", rule.name).tag("reason", reason).increment(1);
    this.rule = null;
    this.redactor = null;
    return true;
  }

  /** Replaces the answer by an error. */
  private deny(reason: string): bool {
    const rule = this.rule;
    this.rule = null;
    this.redactor = null;
    if (!rule) return true;
    denied.tag("rule", rule.name).tag("reason", reason).increment(1);
    send_local_response(
      502,
      `redact_denied{${rule.name},${reason}}`,
      String.UTF8.encode(`the answer cannot be redacted: ${reason}\n`),
      [HeaderPair.of("content-type", "text/plain; charset=utf-8"), HeaderPair.of("x-redact-reason", reason)],
      GrpcStatusValues.InvalidCode,
    );
    return false;
  }

  private headersGoOn(goesOn: bool): FilterHeadersStatusValues {
    return goesOn ? FilterHeadersStatusValues.Continue : FilterHeadersStatusValues.StopIteration;
  }
}

/** The headers that describe the bytes of the answer. */
const aboutBytes = ["content-length", "etag", "content-md5", "digest", "content-digest", "repr-digest"];

function forgetRepresentation(): void {
  for (let i = 0; i < aboutBytes.length; i++) stream_context.headers.response.remove(aboutBytes[i]);
}

/** The type of an answer with several parts. The type of the parts is inside its body. */
const byteRanges = new MediaTypes(["multipart/byteranges"]);

registerRootContext((context_id: u32) => new RedactRoot(context_id), "redact");
