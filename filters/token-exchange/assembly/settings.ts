import { Headers } from "@chancery/filter-sdk";

/** A header that the filter sets for upstream. */
export class GivenHeader {
  name: string;
  /** The member of the answer's JSON body with the value; empty when the value is in a header of the answer. */
  member: string = "";
  header: string = "";
  /** A text before the value. */
  prefix: string = "";

  constructor(name: string) {
    this.name = name;
  }
}

/** The configuration. Names of headers are in lower case. */
export class Settings {
  cluster: string = "";
  /** The headers of each call. The credential is added to them. */
  callHeaders: Headers = [];
  credential: string = "authorization";
  deadlineMs: u32 = 0;
  given: GivenHeader[] = [];
  keptMs: i64 = 60_000;
  deniedKeptMs: i64 = 5_000;
  entries: i32 = 1000;
  mostCalls: i32 = 100;
  mostWaiting: i32 = 1000;
  allowsUnanswered: bool = false;
  /** True when the body of a rejection is JSON. */
  json: bool = false;

  get readsBody(): bool {
    for (let i = 0; i < this.given.length; i++) if (this.given[i].member !== "") return true;
    return false;
  }
}
