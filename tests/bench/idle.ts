import { rmSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { ACCOUNT, type BotProcess, freePort, makeDataDir, processesOf, startBot, startSimulator } from '../run/processes.ts'
import { describeMachine, processorSeconds, readProc } from './machine.ts'

// What one commune's process costs when nobody writes, and how long it takes to be there. Measured in /proc of the process tree itself:
// npm is not in it, the embedded PostgreSQL is.

const IDLE_MS = 20_000

/** Memory and processor time when idle; seconds from start to ready. */
export async function bench(): Promise<string> {
  const dataDir = makeDataDir()
  const simulator = await startSimulator({ seed: 1, buttons: true, stateAgency: false, retryLadderMs: [1_000] })
  let bot: BotProcess | undefined
  try {
    const { refresh_token } = (await simulator.control('POST', '/tokens', { oa_id: ACCOUNT.oaId })) as { refresh_token: string }
    const setup = { dataDir, port: await freePort(), platformUrl: simulator.platformUrl, refreshToken: refresh_token }
    bot = await startBot(setup)
    const freshMs = bot.readyMs
    console.error(`ready; idle for ${(2 * IDLE_MS) / 1_000} s`)
    await sleep(IDLE_MS)
    const before = processorSeconds(processesOf(bot.pid, dataDir))
    const from = performance.now()
    await sleep(IDLE_MS)
    const seconds = (performance.now() - from) / 1_000
    const cpuPercent = ((processorSeconds(processesOf(bot.pid, dataDir)) - before) / seconds) * 100
    const parts = memoryOf(bot.pid, dataDir)
    await bot.stop()
    bot = await startBot(setup)
    const againMs = bot.readyMs
    const killed = await bot.kill()
    bot = await startBot(setup)
    return report({ freshMs, againMs, afterKillMs: bot.readyMs, killed, cpuPercent, seconds, parts })
  } finally {
    await bot?.stop()
    await simulator.stop()
    rmSync(dataDir, { recursive: true, force: true })
  }
}

type Part = { name: string; pssKb: number; count: number }
type Figures = { freshMs: number; againMs: number; afterKillMs: number; killed: number; cpuPercent: number; seconds: number; parts: Part[] }

function report({ freshMs, againMs, afterKillMs, killed, cpuPercent, seconds, parts }: Figures): string {
  const mb = (kb: number) => (kb / 1_024).toFixed(1)
  const all = parts.reduce((sum, part) => sum + part.pssKb, 0)
  const s = (ms: number) => (ms / 1_000).toFixed(2)
  return `## Idle

${describeMachine()}

| | |
|---|---|
| PSS of the process tree without npm, after ${IDLE_MS / 500} s idle | **${mb(all)} MB** |
${parts.map(({ name, pssKb, count }) => `| of this: ${name}${count > 1 ? ` × ${count}` : ''} | ${mb(pssKb)} MB |`).join('\n')}
| processor while idle, over ${seconds.toFixed(0)} s | ${cpuPercent.toFixed(2)} % of one core |
| start to ready, fresh folder | ${s(freshMs)} s |
| start to ready, second start | ${s(againMs)} s |
| start to ready, after kill -9 of all ${killed} processes | ${s(afterKillMs)} s |`
}

function memoryOf(pid: number, dataDir: string): Part[] {
  const parts = new Map<string, Part>()
  for (const id of processesOf(pid, dataDir)) {
    const rollup = readProc(id, 'smaps_rollup')
    const pssKb = Number(/^Pss:\s+(\d+) kB/m.exec(rollup)?.[1] ?? 0)
    const name = readProc(id, 'comm').trim()
    const part = parts.get(name) ?? { name, pssKb: 0, count: 0 }
    parts.set(name, { name, pssKb: part.pssKb + pssKb, count: part.count + 1 })
  }
  return [...parts.values()].sort((a, b) => b.pssKb - a.pssKb)
}
