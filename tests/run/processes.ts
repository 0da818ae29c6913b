import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { Agent } from 'node:http'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { callJson } from './zalo-phones.ts'

// Starting, watching and killing the programs under trial. Everything is found by the ids and folders of what was started here.

export const ROOT = resolve(import.meta.dirname, '..', '..')

const READY_TIMEOUT_MS = 60_000
const POLL_MS = 20
// What an idle machine says about itself is nothing the programs need
const BASE_ENV = Object.fromEntries(
  ['PATH', 'HOME', 'LANG', 'TMPDIR'].flatMap((name) => (process.env[name] ? [[name, process.env[name]!]] : [])),
)

/** A throw-away account: nothing in it is a secret. */
export const ACCOUNT = {
  oaId: '1122334455667788990',
  name: 'Hội Khuyến học xã Bình Lư',
  appId: '1234567890123456789',
  appSecret: 'app-secret-of-a-trial',
  oaSecretKey: 'webhook-secret-of-a-trial',
}

export type SimulatorProcess = {
  platformUrl: string
  personUrl: string
  pid: number
  control(method: string, path: string, body?: object): Promise<unknown>
  stop(): Promise<void>
}

export type SimulatorSetup = {
  seed: number
  buttons: boolean
  stateAgency: boolean
  retryLadderMs: number[]
  perMinute?: number
  /** How long an article is reviewed before it is broadcast, by day and by night. */
  broadcastReviewMs?: number
}

export async function startSimulator(setup: SimulatorSetup): Promise<SimulatorProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'hoc-tap-run-platform-'))
  const accounts = join(folder, 'accounts.json')
  const account = {
    ...ACCOUNT,
    oaType: setup.stateAgency ? 4 : 2,
    verified: true,
    package: 'comprehensive',
    buttons: setup.buttons ? 'accepted' : 'refused',
    perMinute: setup.perMinute ?? 10_000_000,
  }
  writeFileSync(accounts, JSON.stringify([account]))
  const child = spawn(
    process.execPath,
    [
      ...[join(ROOT, 'src/simulator/main.ts'), '--accounts', accounts, '--seed', String(setup.seed), '--never-disable'],
      ...['--app-per-minute', '10000000', '--retry-ladder', setup.retryLadderMs.join(',')],
      ...(setup.broadcastReviewMs === undefined ? [] : ['--broadcast-review', String(setup.broadcastReviewMs), '--broadcasts-at-night']),
    ],
    { stdio: ['ignore', 'pipe', 'inherit'], env: BASE_ENV },
  )
  dieWithUs(child)
  const line = await firstLine(child, (text) => text.startsWith('{'))
  const doors = JSON.parse(line) as { platform: string; person: string }
  const agent = new Agent({ keepAlive: true })
  return {
    platformUrl: doors.platform,
    personUrl: doors.person,
    pid: child.pid!,
    control: (method, path, body) => callJson(agent, method, `${doors.person}/phone/control${path}`, body),
    async stop() {
      agent.destroy()
      await end(child, 'SIGTERM')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

export type BotProcess = {
  pid: number
  /** From the start of the process to the first 200 of /health/ready. */
  readyMs: number
  /** What it wrote so far. */
  log(): string
  stop(): Promise<void>
  /** SIGKILL for everything of it, the embedded database too; returns how many processes that were. */
  kill(): Promise<number>
  /** SIGKILL for the program alone: its database lives on without it. */
  killAlone(): Promise<void>
}

export type BotSetup = {
  dataDir: string
  port: number
  platformUrl: string
  refreshToken?: string
  env?: Record<string, string>
}

export function botEnv({ dataDir, port, platformUrl, refreshToken, env }: BotSetup): Record<string, string> {
  return {
    ...BASE_ENV,
    HOST: '127.0.0.1',
    PORT: String(port),
    DATA_DIR: dataDir,
    SAMPLE_DATA: 'yes',
    LOG_LEVEL: 'warn',
    ZALO_OA_ID: ACCOUNT.oaId,
    ZALO_APP_ID: ACCOUNT.appId,
    ZALO_APP_SECRET: ACCOUNT.appSecret,
    ZALO_OA_SECRET_KEY: ACCOUNT.oaSecretKey,
    ZALO_API_URL: platformUrl,
    ZALO_OAUTH_URL: platformUrl,
    ...(refreshToken !== undefined && { ZALO_REFRESH_TOKEN: refreshToken }),
    ...env,
  }
}

/** What the bot's start command is; another program that speaks for the bot may be named for trials of these programs themselves. */
const botCommand = () => {
  if (process.env.RUN_BOT !== undefined) return process.env.RUN_BOT.split(' ')
  // As `npm start` runs it, without the words `exec node`
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: { start: string } }
  return scripts.start.split(' ').slice(2)
}

export async function startBot(setup: BotSetup): Promise<BotProcess> {
  const startedAt = performance.now()
  const child = spawn(process.execPath, botCommand(), { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'], env: botEnv(setup) })
  dieWithUs(child)
  let log = ''
  const keep = (chunk: Buffer) => {
    log = (log + chunk.toString()).slice(-200_000)
  }
  child.stdout!.on('data', keep)
  child.stderr!.on('data', keep)
  const tail = () => log.trim().split('\n').slice(-12).join('\n')
  const url = `http://127.0.0.1:${setup.port}/health/ready`
  for (;;) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`the bot ended while starting:\n${tail()}`)
    if (performance.now() - startedAt > READY_TIMEOUT_MS) {
      await killTree(child.pid!, setup.dataDir)
      throw new Error(`the bot was not ready within ${READY_TIMEOUT_MS / 1000} s:\n${tail()}`)
    }
    if (await answersOk(url)) break
    await sleep(POLL_MS)
  }
  const readyMs = performance.now() - startedAt
  return {
    pid: child.pid!,
    readyMs,
    log: () => log,
    stop: () => end(child, 'SIGTERM'),
    async kill() {
      const gone = new Promise((done) => child.once('exit', done))
      const killed = await killTree(child.pid!, setup.dataDir)
      await gone
      return killed
    },
    killAlone: () => end(child, 'SIGKILL'),
  }
}

/** Runs the command line of the project with the bot's environment; the figures are on its last line. `input`: what it reads. */
export async function runCli(args: string[], env: Record<string, string>, input = ''): Promise<string> {
  const command = process.env.RUN_CLI?.split(' ') ?? [join(ROOT, 'src/cli/main.ts')]
  const child = spawn(process.execPath, [...command, ...args], { cwd: ROOT, env })
  child.stdin.end(input)
  let out = ''
  let err = ''
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk
  })
  child.stderr.on('data', (chunk: Buffer) => {
    err += chunk
  })
  const code = await new Promise((done) => child.once('close', done))
  if (code !== 0) throw new Error(`cli ${args.join(' ')} ended with ${code}: ${(err || out).trim().slice(-800)}`)
  return out
}

/** The processes of a bot: its own tree, and the database server of its data folder, which may have been adopted. */
export function processesOf(pid: number, dataDir: string): number[] {
  const roots = [pid, ...postmasterPids(dataDir)]
  const children = new Map<number, number[]>()
  for (const entry of readdirSync('/proc')) {
    const id = Number(entry)
    const parent = Number.isInteger(id) ? parentOf(id) : undefined
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), id])
  }
  const all = new Set<number>()
  const walk = (id: number) => {
    if (all.has(id) || !existsSync(`/proc/${id}`)) return
    all.add(id)
    for (const child of children.get(id) ?? []) walk(child)
  }
  for (const root of roots) walk(root)
  return [...all]
}

async function killTree(pid: number, dataDir: string): Promise<number> {
  const killed = new Set<number>()
  // Twice: something may have been started between looking and killing
  for (let round = 0; round < 2; round++) {
    for (const id of processesOf(pid, dataDir)) {
      try {
        process.kill(id, 'SIGKILL')
        killed.add(id)
      } catch {
        // gone already
      }
    }
    await sleep(5)
  }
  return killed.size
}

/** First line of every postmaster.pid under the folder, as long as that process works there. */
function postmasterPids(dataDir: string): number[] {
  if (!existsSync(dataDir)) return []
  return readdirSync(dataDir, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('postmaster.pid'))
    .flatMap((path) => {
      try {
        const file = join(dataDir, path)
        const pid = Number(readFileSync(file, 'utf8').split('\n')[0])
        return readlinkSync(`/proc/${pid}/cwd`) === resolve(file, '..') ? [pid] : []
      } catch {
        return []
      }
    })
}

function parentOf(pid: number): number | undefined {
  try {
    // "pid (name) state ppid …"; the name may hold spaces and brackets
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
  } catch {
    return undefined
  }
}

export function makeDataDir(): string {
  return mkdtempSync(join(tmpdir(), 'hoc-tap-run-data-'))
}

export function freePort(): Promise<number> {
  return new Promise((done, failed) => {
    const server = createServer()
    server.once('error', failed)
    server.listen({ port: 0, host: '127.0.0.1' }, () => {
      const address = server.address()
      server.close(() => (address && typeof address === 'object' ? done(address.port) : failed(new Error('no port'))))
    })
  })
}

async function answersOk(url: string): Promise<boolean> {
  try {
    await callJson(undefined, 'GET', url)
    return true
  } catch {
    return false
  }
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = new Promise((done) => child.once('exit', done))
  child.kill(signal)
  const late = setTimeout(() => child.kill('SIGKILL'), 30_000)
  await gone
  clearTimeout(late)
}

function firstLine(child: ChildProcess, wanted: (line: string) => boolean): Promise<string> {
  return new Promise((done, failed) => {
    createInterface({ input: child.stdout! }).on('line', (line) => {
      if (wanted(line)) done(line)
    })
    child.once('exit', (code) => failed(new Error(`it ended with ${code} before it said where it listens`)))
  })
}

const alive = new Set<ChildProcess>()
let watching = false

/** Nothing started here outlives a run that is broken off. */
function dieWithUs(child: ChildProcess): void {
  if (!watching) {
    watching = true
    process.once('exit', () => {
      for (const one of alive) one.kill('SIGKILL')
    })
  }
  alive.add(child)
  child.once('exit', () => alive.delete(child))
}
