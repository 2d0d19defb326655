import { type LogLevel, logLevels } from "./abi.ts";

export interface LogLine {
  readonly level: LogLevel;
  readonly message: string;
}

/** The filter's log lines from a level upwards. Beyond the capacity, the oldest lines are dropped. */
export class Log {
  readonly level: LogLevel;
  readonly #capacity: number;
  #lines: LogLine[] = [];

  constructor(level: LogLevel, capacity: number) {
    this.level = level;
    this.#capacity = capacity;
  }

  get lines(): readonly LogLine[] {
    return this.#lines;
  }

  write(level: LogLevel, message: string): void {
    if (logLevels.indexOf(level) < logLevels.indexOf(this.level)) return;
    if (this.#lines.length >= this.#capacity) this.#lines.shift();
    this.#lines.push({ level, message });
  }

  clear(): void {
    this.#lines = [];
  }
}
