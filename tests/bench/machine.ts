import { cpus, loadavg, totalmem } from 'node:os'

/** One line on where a figure comes from. */
export function describeMachine(): string {
  const [cpu] = cpus()
  const load = (loadavg()[0] ?? 0).toFixed(1)
  return `${new Date().toISOString().slice(0, 10)}, ${cpus().length} × ${cpu?.model ?? 'unknown'}, ${Math.round(totalmem() / 2 ** 30)} GB, Node ${process.versions.node}; load of the last minute ${load}`
}
