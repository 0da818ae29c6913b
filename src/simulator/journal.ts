import { createReadStream, mkdirSync, truncateSync } from 'node:fs'
import { type FileHandle, open, stat } from 'node:fs/promises'
import { dirname } from 'node:path'

/** An append-only file of JSON lines. Lines of one turn of the event loop are written together. */
export interface Journal {
  append(record: object): void
  /** Resolves when everything appended so far is with the operating system: it then survives a kill -9. */
  written(): Promise<void>
  close(): Promise<void>
}

export const noJournal: Journal = { append: () => {}, written: () => Promise.resolve(), close: () => Promise.resolve() }

/** Reads what is there (a torn last line is cut off), then appends. */
export async function openJournal(file: string, replay: (record: unknown) => void): Promise<Journal> {
  mkdirSync(dirname(file), { recursive: true })
  await replayFile(file, replay)
  return createWriter(await open(file, 'a'))
}

async function replayFile(file: string, replay: (record: unknown) => void) {
  const size = await stat(file).then(
    (found) => found.size,
    () => 0,
  )
  if (size === 0) return
  let rest: Buffer = Buffer.alloc(0)
  let good = 0
  let line = 0
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) {
    const bytes: Buffer = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    let from = 0
    for (let end = bytes.indexOf(10, from); end >= 0; end = bytes.indexOf(10, from)) {
      line++
      replay(parseLine(bytes.toString('utf8', from, end), { file, line }))
      good += end + 1 - from
      from = end + 1
    }
    rest = bytes.subarray(from)
  }
  if (good < size) truncateSync(file, good)
}

function parseLine(text: string, where: { file: string; line: number }): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new Error(`${where.file} line ${where.line} is not JSON. Remove that line or the file; the simulator then starts without it.`)
  }
}

function createWriter(handle: FileHandle): Journal {
  let lines: string[] = []
  let waiters: (() => void)[] = []
  let running: Promise<void> | undefined
  let inFlight: Promise<void> = Promise.resolve()

  async function run() {
    // one turn later, so that everything of this turn shares the write
    await new Promise((resolve) => setImmediate(resolve))
    while (lines.length > 0) {
      const batch = lines
      const waiting = waiters
      lines = []
      waiters = []
      inFlight = handle.appendFile(`${batch.join('\n')}\n`)
      await inFlight
      for (const resolve of waiting) resolve()
    }
    running = undefined
  }

  return {
    append(record) {
      lines.push(JSON.stringify(record))
      running ??= run()
    },
    written() {
      if (lines.length === 0) return inFlight
      return new Promise((resolve) => waiters.push(resolve))
    },
    async close() {
      while (running) await running
      await handle.close()
    },
  }
}
