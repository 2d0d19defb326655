import { Headers } from "@chancery/filter-sdk";

/** A header that upstream gets. */
export class GivenHeader {
  name: string;
  /** The member of the answer's JSON body that is its value; empty when it is a header of the answer. */
  member: string = "";
  header: string = "";
  /** Comes before the value. */
  prefix: string = "";

  constructor(name: string) {
    this.name = name;
  }
}

/** What a configuration says. Names of headers are in lower case. */
export class Settings {
  cluster: string = "";
  /** Of each call; the credential follows. */
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
  /** How a refusal's body says the reason. */
  json: bool = false;

  get readsBody(): bool {
    for (let i = 0; i < this.given.length; i++) if (this.given[i].member !== "") return true;
    return false;
  }
}
