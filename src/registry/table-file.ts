import { readFile } from 'node:fs/promises'
import { CsvError, parse } from 'csv-parse/sync'
import { OperatorError } from '../lib/operator-error.ts'

/** What is wrong in one cell of a file, and what to do about it. `row` counts as a spreadsheet does: the header is row 1. */
export type RowProblem = { row: number; column: string; problem: string }

/** A file's rows by column name; cells are trimmed and in Unicode form NFC. Empty rows are left out but counted. */
type Table = { columns: string[]; rows: { row: number; cells: Record<string, string> }[] }

export type TableOutcome = { type: 'read'; table: Table } | { type: 'refused'; problems: RowProblem[] }

type Columns = { required: readonly string[]; optional: readonly string[] }

/** Reads a CSV (UTF-8 with or without BOM, comma or semicolon) or an .xlsx file; what it is shows in its first bytes, not in its name. */
export async function loadTable(path: string, columns: Columns): Promise<TableOutcome> {
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    throw new OperatorError(`${path} cannot be read (${error.code ?? error.message})`)
  })
  return parseTable(bytes, columns)
}

export async function parseTable(bytes: Buffer, columns: Columns): Promise<TableOutcome> {
  const grid = bytes.subarray(0, 4).equals(ZIP_START) ? await readXlsx(bytes) : readCsv(bytes)
  return 'problem' in grid ? { type: 'refused', problems: [grid] } : nameCells(grid, columns)
}

export function describeProblem({ row, column, problem }: RowProblem): string {
  return column === '' ? `row ${row}: ${problem}` : `row ${row}, column ${column}: ${problem}`
}

const ZIP_START = Buffer.from('PK\x03\x04', 'latin1')
const OLD_EXCEL_START = Buffer.from('d0cf11e0', 'hex')

async function readXlsx(bytes: Buffer): Promise<string[][] | RowProblem> {
  // Imported late: only an import of a spreadsheet needs it
  const { readSheet } = await import('read-excel-file/node')
  try {
    const sheet = await readSheet(bytes)
    return sheet.map((cells) => cells.map((cell) => cleanCell(cell instanceof Date ? cell.toISOString().slice(0, 10) : String(cell ?? ''))))
  } catch {
    return { row: 1, column: '', problem: 'the spreadsheet is damaged or protected; open it in Excel and save it anew as .xlsx' }
  }
}

function readCsv(bytes: Buffer): string[][] | RowProblem {
  if (bytes.subarray(0, 4).equals(OLD_EXCEL_START)) {
    return { row: 1, column: '', problem: 'this is an old .xls file; save it as .xlsx' }
  }
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return { row: 1, column: '', problem: 'the file is not UTF-8; in Excel choose "CSV UTF-8" when saving, or save as .xlsx' }
  }
  const header = text.slice(0, text.search(/[\r\n]|$/))
  const delimiter = header.split(';').length > header.split(',').length ? ';' : ','
  try {
    const records = parse(text, { delimiter, relax_column_count: true, skip_empty_lines: false })
    return records.map((cells) => cells.map(cleanCell))
  } catch (error) {
    if (!(error instanceof CsvError)) throw error
    const row = typeof error.records === 'number' ? error.records + 1 : 1
    return { row, column: '', problem: 'a quotation mark is opened and not closed; write a quotation mark inside a cell twice ("")' }
  }
}

function cleanCell(cell: string): string {
  return cell.normalize('NFC').replaceAll(/\s+/g, ' ').trim()
}

function nameCells(grid: string[][], { required, optional }: Columns): TableOutcome {
  const columns = (grid[0] ?? []).map((name) => name.toLowerCase())
  // Spreadsheets often carry nameless columns on the right
  while (columns.at(-1) === '') columns.pop()
  const expected = `the columns are ${[...required, ...optional].join(',')}`
  const problems: RowProblem[] = [
    ...required.filter((name) => !columns.includes(name)).map((column) => ({ row: 1, column, problem: `is missing; ${expected}` })),
    ...columns
      .filter((name, place) => columns.indexOf(name) !== place)
      .map((column) => ({ row: 1, column, problem: 'is there twice; keep one of them' })),
    ...columns
      .filter((name) => !required.includes(name) && !optional.includes(name))
      .map((column) => ({ row: 1, column, problem: `is not known here; remove or rename it; ${expected}` })),
  ]
  if (problems.length > 0) return { type: 'refused', problems }

  const rows: Table['rows'] = []
  for (const [place, cells] of grid.entries()) {
    if (place === 0 || cells.every((cell) => cell === '')) continue
    const row = place + 1
    if (cells.slice(columns.length).some((cell) => cell !== '')) {
      problems.push({
        row,
        column: '',
        problem: `has more cells than the header has columns (${columns.length}); put a cell that contains the separator in quotation marks`,
      })
    }
    rows.push({ row, cells: Object.fromEntries(columns.map((name, index) => [name, cells[index] ?? ''])) })
  }
  return problems.length > 0 ? { type: 'refused', problems } : { type: 'read', table: { columns, rows } }
}
