// What a person's phone sends when the caller brings no bytes of its own: tiny but valid files.

const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
const GIF = 'R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7'
const PDF =
  '%PDF-1.1\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n'
const AMR_HEADER = '#!AMR\n'

export function sampleFile(kind: 'image' | 'gif' | 'voice' | 'file'): { name: string; type: string; bytes: Buffer } {
  switch (kind) {
    case 'image':
      return { name: 'anh.png', type: 'image/png', bytes: Buffer.from(PNG, 'base64') }
    case 'gif':
      return { name: 'anh.gif', type: 'image/gif', bytes: Buffer.from(GIF, 'base64') }
    case 'voice':
      return { name: 'ghi-am.amr', type: 'audio/amr', bytes: Buffer.from(AMR_HEADER) }
    case 'file':
      return { name: 'giay-to.pdf', type: 'application/pdf', bytes: Buffer.from(PDF) }
    default:
      return kind satisfies never
  }
}
