import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import postgres from 'postgres'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createTestDatabase } from '../support/postgres.ts'

type Answer = { url: string; adopted: boolean; readyMs: number; log: string[]; refused?: string }
type User = { process: ChildProcess; answer: Promise<Answer> }

let folder = ''
let dataDir = ''
const users: User[] = []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'embedded-'))
  chmodSync(folder, 0o711)
  dataDir = join(folder, 'data')
})

afterEach(async () => {
  for (const user of users.splice(0)) await kill(user)
  const pid = postmasterPid()
  if (pid) process.kill(pid, 'SIGKILL')
  if (cluster() !== join(dataDir, 'postgres', 'cluster')) rmSync(join(cluster(), '..'), { recursive: true, force: true })
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
})

function use(kind: 'start' | 'join'): User {
  const child = spawn(process.execPath, [fileURLToPath(new URL('./embedded-user.ts', import.meta.url)), kind, dataDir], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const answer = new Promise<Answer>((resolve, reject) => {
    createInterface(child.stdout).once('line', (line) => resolve(JSON.parse(line)))
    child.once('exit', (code) => reject(new Error(`ended with ${code} before it was ready`)))
  })
  answer.catch(() => {})
  const user = { process: child, answer }
  users.push(user)
  return user
}

async function end(user: User): Promise<void> {
  const exited = new Promise((resolve) => user.process.once('exit', resolve))
  user.process.stdin?.end()
  await exited
}

async function kill(user: User): Promise<void> {
  if (user.process.exitCode !== null || user.process.signalCode !== null) return
  const exited = new Promise((resolve) => user.process.once('exit', resolve))
  user.process.kill('SIGKILL')
  await exited
}

function cluster(): string {
  const record = join(dataDir, 'postgres.path')
  return join(existsSync(record) ? readFileSync(record, 'utf8').trim() : join(dataDir, 'postgres'), 'cluster')
}

function postmasterPid(): number | undefined {
  const path = join(cluster(), 'postmaster.pid')
  return existsSync(path) ? Number.parseInt(readFileSync(path, 'utf8'), 10) : undefined
}

async function query(url: string, statement: string): Promise<postgres.Row[]> {
  const sql = postgres(url, { max: 1, onnotice: () => {} })
  try {
    return await sql.unsafe(statement)
  } finally {
    await sql.end({ timeout: 1 })
  }
}

async function until<T>(find: () => T | undefined | false | Promise<T | undefined | false>): Promise<T> {
  const deadline = Date.now() + 20_000
  for (;;) {
    const found = await find()
    if (found) return found
    if (Date.now() > deadline) throw new Error(`waited in vain for ${find}`)
    await sleep(5)
  }
}

test('each test file has a migrated database of its own', async () => {
  const [row] = await query(
    await createTestDatabase(),
    "SELECT count(*)::int AS tables FROM information_schema.tables WHERE table_schema = 'public'",
  )
  expect(row?.tables).toBeGreaterThan(0)
})

describe('a server of PostgreSQL 18 on its own DATA_DIR', () => {
  test('knows Vietnamese letters, commits durably, asks for a password and stays small', async () => {
    const { url } = await use('start').answer
    const [row] = await query(
      url,
      "SELECT lower('ĐẠT') AS lower, pg_encoding_to_char(encoding) AS encoding FROM pg_database WHERE datname = current_database()",
    )
    expect(row).toMatchObject({ lower: 'đạt', encoding: 'UTF8' })
    const [durable] = await query(url, "SELECT current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS commit")
    expect(durable).toEqual({ fsync: 'on', commit: 'on' })
    const stranger = new URL(url)
    stranger.password = 'guess'
    await expect(query(stranger.href, 'SELECT 1')).rejects.toMatchObject({ code: '28P01' })
    // Measured 8 MB beside its share of shared_buffers; the whole bot has 300 MB
    expect(privateMegabytes(postmasterPid()!)).toBeLessThan(30)
  })

  test('continues with the same data at the same address', async () => {
    const first = use('start')
    const { url } = await first.answer
    await query(url, 'CREATE TABLE kept (n int)')
    await end(first)
    expect(postmasterPid()).toBeUndefined()
    const second = await use('start').answer
    expect(second).toMatchObject({ url, adopted: false })
    expect(await query(url, 'SELECT * FROM kept')).toEqual([])
  })

  test('is adopted when our process was killed, and stops with the next one', async () => {
    const first = use('start')
    const { url } = await first.answer
    const pid = postmasterPid()
    await kill(first)
    const second = use('start')
    expect(await second.answer).toMatchObject({ url, adopted: true })
    expect(postmasterPid()).toBe(pid)
    await end(second)
    expect(postmasterPid()).toBeUndefined()
  })

  test('is ready within five seconds of everything being killed, with all that was committed', async () => {
    let user = use('start')
    const { url } = await user.answer
    await query(url, 'CREATE TABLE written (n int PRIMARY KEY, filler text)')
    let written = 0
    for (let round = 0; round < 3; round++) {
      const sql = postgres(url, { max: 1, onnotice: () => {} })
      const writing = (async () => {
        for (;;) {
          await sql`INSERT INTO written VALUES (${written + 1}, repeat('x', 2000))`
          written++
        }
      })()
      writing.catch(() => {})
      await until(() => written > (round + 1) * 50)
      process.kill(postmasterPid()!, 'SIGKILL')
      await kill(user)
      await sql.end({ timeout: 0 })
      user = use('start')
      const again = await user.answer
      expect(again.readyMs).toBeLessThan(5_000)
      const [row] = await query(again.url, 'SELECT count(*)::int AS rows FROM written')
      // One may be committed whose answer never came
      expect([written, written + 1]).toContain(row?.rows)
      written = row?.rows
    }
  })

  test('is started again at the same address when it dies under a running process', async () => {
    const { url } = await use('start').answer
    const pid = postmasterPid()!
    process.kill(pid, 'SIGKILL')
    await until(async () => postmasterPid() !== pid && (await query(url, 'SELECT 1').catch(() => undefined)))
  })

  test('is created anew when its creation was killed half-way', async () => {
    const first = use('start')
    await until(
      () => existsSync(join(dataDir, 'postgres')) && readdirSync(join(dataDir, 'postgres')).some((name) => name.startsWith('cluster.new-')),
    )
    await kill(first)
    const { url } = await use('start').answer
    expect(await query(url, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
  })

  test('is not confused by the pid of its forerunner, now somebody else’s', async () => {
    const first = use('start')
    const { url } = await first.answer
    await end(first)
    writeFileSync(
      join(cluster(), 'postmaster.pid'),
      `${process.pid}\n${cluster()}\n1700000000\n${new URL(url).port}\n\n127.0.0.1\n\nready   \n`,
    )
    expect(await use('start').answer).toMatchObject({ adopted: false })
  })

  test('begins anew where DATA_DIR was deleted below a server left behind', async () => {
    const first = use('start')
    const { url } = await first.answer
    await query(url, 'CREATE TABLE gone (n int)')
    const pid = postmasterPid()!
    await kill(first)
    rmSync(dataDir, { recursive: true, maxRetries: 5 })
    const again = await use('start').answer
    expect(again.adopted).toBe(false)
    await expect(query(again.url, 'SELECT * FROM gone')).rejects.toMatchObject({ code: '42P01' })
    expect(statusOf(pid, 'RssAnon')).toBe(0)
  })

  test('of another major version is refused in one sentence', async () => {
    const first = use('start')
    await first.answer
    await end(first)
    writeFileSync(join(cluster(), 'PG_VERSION'), '17\n')
    expect((await use('start').answer).refused).toMatch(/made by PostgreSQL 17 and this bot brings 18: .*backup.*restore/)
  })
})

describe('several processes', () => {
  test('two commands at once both work, and the last one out stops the server', async () => {
    const commands = [use('join'), use('join')] as const
    const answers = await Promise.all(commands.map((command) => command.answer))
    expect(answers.map((answer) => answer.adopted).sort()).toEqual([false, true])
    await end(commands[0])
    expect(await query(answers[0]!.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
    await end(commands[1])
    expect(postmasterPid()).toBeUndefined()
  })

  test('a command joins the running bot and leaves it running', async () => {
    const { url } = await use('start').answer
    const command = use('join')
    expect(await command.answer).toMatchObject({ url, adopted: true })
    await end(command)
    expect(await query(url, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
  })

  test('a bot that stops leaves the server to the command that still uses it', async () => {
    const bot = use('start')
    const { url } = await bot.answer
    const command = use('join')
    await command.answer
    await end(bot)
    expect(await query(url, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
    await end(command)
    expect(postmasterPid()).toBeUndefined()
  })

  test('a second bot on the same DATA_DIR is refused until the first is gone, however it went', async () => {
    const first = use('start')
    await first.answer
    expect((await use('start').answer).refused).toMatch(
      new RegExp(`^The bot is already running on .* \\(process ${first.process.pid}\\): stop it first, or set another DATA_DIR$`),
    )
    await kill(first)
    expect(await use('start').answer).toMatchObject({ adopted: true })
  })
})

const notRoot = process.getuid?.() === 0 ? '' : ' (skipped: only root can try this)'
describe.skipIf(notRoot)(`as root${notRoot}`, () => {
  test('a DATA_DIR only root can enter has its cluster elsewhere, says so once and finds it again', async () => {
    chmodSync(folder, 0o700)
    const first = use('start')
    const { log, url } = await first.answer
    expect(log).toEqual([expect.stringContaining(`so the database is in ${join(cluster(), '..')}`)])
    expect(cluster().startsWith(folder)).toBe(false)
    await query(url, 'CREATE TABLE kept (n int)')
    await end(first)
    const second = use('start')
    expect(await second.answer).toMatchObject({ log: [], url })
    expect(await query(url, 'SELECT * FROM kept')).toEqual([])
    await end(second)
  })

  test('a deleted DATA_DIR begins anew and names the cluster it left', async () => {
    chmodSync(folder, 0o700)
    const first = use('start')
    const { url } = await first.answer
    await query(url, 'CREATE TABLE gone (n int)')
    await kill(first)
    rmSync(dataDir, { recursive: true })
    const { log, url: newUrl } = await use('start').answer
    const left = /kept in (\S+);/.exec(log[0] ?? '')?.[1] ?? ''
    expect(existsSync(join(left, 'cluster', 'PG_VERSION'))).toBe(true)
    rmSync(left, { recursive: true, maxRetries: 5 })
    await expect(query(newUrl, 'SELECT * FROM gone')).rejects.toMatchObject({ code: '42P01' })
  })

  test('a copy of a DATA_DIR does not share the cluster of the original', async () => {
    chmodSync(folder, 0o700)
    const first = use('start')
    await first.answer
    await end(first)
    const original = dataDir
    dataDir = join(folder, 'copy')
    mkdirSync(dataDir)
    for (const name of ['postgres.path', 'postgres.password']) writeFileSync(join(dataDir, name), readFileSync(join(original, name)))
    expect((await use('start').answer).refused).toMatch(/is a copy of .* and would share its database/)
    dataDir = original
  })
})

/** What a process and its children have for themselves. Their shared pages only root with all its rights may count. */
function privateMegabytes(root: number): number {
  const kilobytes = readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid === root || (pid && statusOf(pid, 'PPid') === root))
    .map((pid) => statusOf(pid, 'RssAnon'))
  return kilobytes.reduce((sum, each) => sum + each, 0) / 1024
}

function statusOf(pid: number, field: string): number {
  try {
    return Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0)
  } catch {
    return 0
  }
}
