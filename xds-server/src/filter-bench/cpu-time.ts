import { readdir, readFile } from "node:fs/promises";

/** The processor time that a process has used, in microseconds: the sum of its threads' times in Linux's /proc. */
export async function cpuMicroseconds(pid: number): Promise<number> {
  let nanoseconds = 0;
  for (const thread of await readdir(`/proc/${pid}/task`)) {
    const [running = "0"] = (await readFile(`/proc/${pid}/task/${thread}/schedstat`, "utf8")).split(" ");
    nanoseconds += Number(running);
  }
  return nanoseconds / 1000;
}
