import { open, rename, rm } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { stringify } from 'csv-stringify'
import { OperatorError } from './operator-error.ts'

type Cell = string | number | null
/** In the order of the columns, or by their names. */
type Cells = readonly Cell[] | Readonly<Record<string, Cell>>

/**
 * Writes a file of CSV with a line of column names, readable by its owner only. It appears whole or not at all, in place of one that was
 * there, and only when `beforeShown` is done, which is told the number of rows and may refuse. Returns that number.
 * @throws OperatorError where the path cannot be written
 */
export async function writeCsv({
  path,
  columns,
  rows,
  beforeShown,
}: {
  path: string
  columns: string[]
  rows: AsyncIterable<Cells>
  beforeShown: (rows: number) => Promise<unknown>
}): Promise<number> {
  const half = `${path}.${process.pid}.part`
  const file = await open(half, 'wx', 0o600).catch((error: NodeJS.ErrnoException) => {
    throw new OperatorError(`${path} cannot be written (${error.code ?? error.message})`)
  })
  try {
    let written = 0
    async function* counted() {
      for await (const row of rows) {
        written += 1
        yield row
      }
    }
    // A cell that begins with = + - @ is text to a spreadsheet only with ' before it
    await pipeline(counted, stringify({ header: true, columns, escape_formulas: true }), file.createWriteStream())
    await beforeShown(written)
    await rename(half, path)
    return written
  } catch (error) {
    await rm(half, { force: true })
    throw error
  }
}
