import { readFileSync } from 'node:fs'
import { cpus, loadavg, totalmem } from 'node:os'
import { processesOf } from '../run/processes.ts'

/** One line on where a figure comes from. */
export function describeMachine(): string {
  const [cpu] = cpus()
  const load = (loadavg()[0] ?? 0).toFixed(1)
  return `${new Date().toISOString().slice(0, 10)}, ${cpus().length} × ${cpu?.model ?? 'unknown'}, ${Math.round(totalmem() / 2 ** 30)} GB, Node ${process.versions.node}; load of the last minute ${load}`
}

// USER_HZ, fixed at 100 on Linux
const TICKS_PER_SECOND = 100

/** Processor time of processes since they began, s; children that ended included. */
export function processorSeconds(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => {
    const stat = readProc(pid, 'stat')
    const [utime, stime, cutime, cstime] = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .slice(11, 15)
      .map(Number)
    return sum + ((utime ?? 0) + (stime ?? 0) + (cutime ?? 0) + (cstime ?? 0)) / TICKS_PER_SECOND
  }, 0)
}

/** Begins to watch what others do on this machine meanwhile; asked, the cores they kept busy on average: a figure is only as good as that is low. */
export function watchOthers(): () => number {
  const read = () => ({ at: performance.now(), all: busySeconds(), ours: processorSeconds(processesOf(process.pid, '')) })
  const from = read()
  return () => {
    const to = read()
    return Math.max(0, (to.all - from.all - (to.ours - from.ours)) / ((to.at - from.at) / 1_000))
  }
}

/** Of the whole machine: all but idle and waiting for a disk. */
function busySeconds(): number {
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = (readFileSync('/proc/stat', 'utf8').split('\n')[0] ?? '')
    .trim()
    .split(/\s+/)
    .slice(1)
    .map(Number)
  return (user + nice + system + irq + softirq + steal) / TICKS_PER_SECOND
}

/** A file of a process; empty once it is gone. */
export function readProc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8')
  } catch {
    return ''
  }
}
