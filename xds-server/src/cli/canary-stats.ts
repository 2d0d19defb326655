import type { Comparison, Tally } from "./canary-judge.ts";

/** Reads the counts of a canary and of the old version from Envoys, for some listeners. Throws when one does not answer. */
export async function readCanaryStats(envoys: readonly string[], listeners: readonly string[]): Promise<Comparison> {
  const texts = await Promise.all(envoys.map(read));
  const series = texts.flatMap(parse).filter(({ labels }) => listeners.includes(labels.get("listener") ?? ""));
  const tally = (isCanary: boolean): Tally => {
    const mine = series.filter(({ labels }) => (labels.get("variant") === "canary") === isCanary);
    const requests = mine.filter(({ name }) => name.endsWith("_requests"));
    return {
      requests: sum(requests),
      failures: sum(requests.filter(({ labels }) => labels.get("status")?.startsWith("5"))),
      micros: sum(mine.filter(({ name }) => name.endsWith("_duration_us"))),
    };
  };
  return { old: tally(false), canary: tally(true) };
}

interface Series {
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly value: number;
}

const timeoutMs = 2_000;

async function read(envoy: string): Promise<string> {
  const url = new URL("/stats/prometheus?filter=^filter_flight", envoy);
  const answer = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) });
  if (!answer.ok) throw new Error(`${url} answers ${answer.status}`);
  return await answer.text();
}

/** https://prometheus.io/docs/instrumenting/exposition_formats */
function parse(text: string): readonly Series[] {
  return [...text.matchAll(/^(\w+)\{(.*)\} (\S+)$/gm)].map(([, name = "", labels = "", value = ""]) => ({
    name,
    labels: new Map([...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, key = "", text = ""]) => [key, text])),
    value: Number(value),
  }));
}

function sum(series: readonly Series[]): number {
  return series.reduce((total, { value }) => total + value, 0);
}
