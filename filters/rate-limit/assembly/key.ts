import { get_property_string, stream_context } from "@chancery/filter-sdk";
import { clientOf } from "./client-address";

/** A part of a limit's key. */
export abstract class KeyPart {
  /** Null when the request does not have this part. */
  abstract read(): string | null;
}

/** The first value of a header. */
@final
export class HeaderPart extends KeyPart {
  private name: string;

  constructor(name: string) {
    super();
    this.name = name;
  }

  read(): string | null {
    const headers = stream_context.headers.request;
    return headers.has(this.name) ? headers.get(this.name) : null;
  }
}

/** A property of the stream, the connection or the proxy that is text. */
@final
export class PropertyPart extends KeyPart {
  private path: string;

  constructor(path: string) {
    super();
    this.path = path;
  }

  read(): string | null {
    const value = get_property_string(this.path);
    return value === "" ? null : value;
  }
}

/** The client's address as Envoy determines it. */
@final
export class ClientAddressPart extends KeyPart {
  read(): string | null {
    const address = get_property_string("source.address");
    return address === "" ? null : clientOf(address);
  }
}

/** A segment of the path. Segment 1 follows the first slash. */
@final
export class PathSegmentPart extends KeyPart {
  private number: i32;

  constructor(number: i32) {
    super();
    this.number = number;
  }

  read(): string | null {
    const path = stream_context.headers.request.get(":path");
    const query = path.indexOf("?");
    const segments = (query < 0 ? path : path.substring(0, query)).split("/");
    return this.number < segments.length && segments[this.number] !== "" ? segments[this.number] : null;
  }
}

/**
 * The key of the running callback's request. Different parts give different keys. Null when `missingIsNone` and a part
 * is missing.
 */
export function keyOf(parts: KeyPart[], missingIsNone: bool): string | null {
  let key = "";
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i].read();
    if (part !== null) key += `${part.length}:${part}`;
    else if (missingIsNone) return null;
    else key += "-";
  }
  return key;
}
