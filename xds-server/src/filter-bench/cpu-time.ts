import { readdir, readFile } from "node:fs/promises";

/** The processor time that a process has used so far, in microseconds, summed over its threads as Linux counts them. */
export async function cpuMicroseconds(pid: number): Promise<number> {
  let nanoseconds = 0;
  for (const thread of await readdir(`/proc/${pid}/task`)) {
    const [running = "0"] = (await readFile(`/proc/${pid}/task/${thread}/schedstat`, "utf8")).split(" ");
    nanoseconds += Number(running);
  }
  return nanoseconds / 1000;
}
