/** Lines of cells, each column as wide as its widest cell. */
export function printTable(rows: readonly (readonly (string | number)[])[]): void {
  const widths: number[] = []
  for (const row of rows) {
    for (const [index, cell] of row.entries()) widths[index] = Math.max(widths[index] ?? 0, [...String(cell)].length)
  }
  for (const row of rows) {
    const cells = row.map((cell, index) => {
      const text = String(cell).normalize('NFC')
      const gap = ' '.repeat((widths[index] ?? 0) - [...text].length)
      return typeof cell === 'number' ? gap + text : text + gap
    })
    console.log(cells.join('  ').trimEnd())
  }
}

/** One JSON document on the last line, for programs. */
export function printJson(document: unknown): void {
  console.log(JSON.stringify(document))
}
