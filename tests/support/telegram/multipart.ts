/** A file as it arrived. */
export type UploadedFile = { name: string; bytes: Buffer }

const NEWLINE = Buffer.from('\r\n')
const BLANK_LINE = Buffer.from('\r\n\r\n')

/** Reads multipart/form-data: text fields as strings, parts with a file name as files. */
export function parseMultipart(body: Buffer, contentType: string): Record<string, unknown> {
  const boundary = /boundary="?([^";]+)"?/.exec(contentType)?.[1]
  if (!boundary) throw new Error('multipart without a boundary')
  const mark = Buffer.from(`--${boundary}`)
  const fields: Record<string, unknown> = {}
  let at = body.indexOf(mark)
  while (at >= 0) {
    const start = at + mark.length + NEWLINE.length
    const next = body.indexOf(mark, start)
    if (next < 0) break
    const headEnd = body.indexOf(BLANK_LINE, start)
    const head = body.toString('utf8', start, headEnd)
    const bytes = body.subarray(headEnd + BLANK_LINE.length, next - NEWLINE.length)
    const name = /\bname="([^"]*)"/.exec(head)?.[1]
    const fileName = /\bfilename="([^"]*)"/.exec(head)?.[1]
    if (name !== undefined) fields[name] = fileName === undefined ? bytes.toString('utf8') : { name: fileName, bytes: Buffer.from(bytes) }
    at = next
  }
  return fields
}
