import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  createMemoryUploadCache,
  fileMessage,
  InvalidUploadError,
  imageMessage,
  type Upload,
  type UploadKind,
} from '../../src/zalo-oa-api-client/index.ts'
import { bodyOf, clientTo, errorOf, type FakeZalo, NOW, startFakeZalo } from './fake-zalo.ts'

const USER = '9876543210987654321'
const DAY_MS = 24 * 3_600_000
const heads: Record<UploadKind, number[]> = {
  image: [0x89, 0x50, 0x4e, 0x47],
  gif: [0x47, 0x49, 0x46, 0x38],
  file: [0x25, 0x50, 0x44, 0x46],
}
const names: Record<UploadKind, string> = { image: 'bản đồ.png', gif: 'a.gif', file: 'Báo cáo.pdf' }

function upload(kind: UploadKind, more: Partial<Upload> & { size?: number } = {}): Upload {
  const bytes = new Uint8Array(more.size ?? 100)
  bytes.set(heads[kind])
  return { kind, name: names[kind], bytes, ...more }
}

let zalo: FakeZalo
beforeEach(async () => {
  zalo = await startFakeZalo()
})
afterEach(() => zalo.stop())

test.each<[UploadKind, RegExp]>([
  ['image', /^ATT_/],
  ['gif', /^ATT_/],
  ['file', /^FILE_/],
])('%s goes up as multipart field "file" with its name and is not sent twice', async (kind, id) => {
  const client = clientTo(zalo)
  const first = await client.upload(upload(kind))
  expect(first).toMatch(id)
  expect(await client.upload(upload(kind))).toBe(first)
  expect(zalo.seen.map((one) => one.path)).toEqual([`/v2.0/oa/upload/${kind}`])
  expect(zalo.seen[0]?.body.toString()).toContain(`name="file"; filename="${names[kind]}"`)
})

test('other content, or a file under another name, is another upload', async () => {
  const client = clientTo(zalo)
  const ids = [
    await client.upload(upload('image')),
    await client.upload(upload('image', { size: 101 })),
    await client.upload(upload('file')),
    await client.upload(upload('file', { name: 'Khác.pdf' })),
  ]
  expect(new Set(ids).size).toBe(4)
  await client.upload(upload('image', { name: 'khác.png' }))
  expect(zalo.seen).toHaveLength(4)
})

test('the cache forgets after 6 days', async () => {
  let now = NOW
  const client = clientTo(zalo, { now: () => now, uploadCache: createMemoryUploadCache() })
  await client.upload(upload('image'))
  now += 6 * DAY_MS - 1
  await client.upload(upload('image'))
  expect(zalo.seen).toHaveLength(1)
  now += 1
  await client.upload(upload('image'))
  expect(zalo.seen).toHaveLength(2)
})

test('an expired attachment is uploaded anew once and sent once more', async () => {
  const client = clientTo(zalo)
  const stale = await client.upload(upload('image'))
  zalo.next('/v3.0/oa/message/cs', { error: -100, message: 'attachment_id was expired' })
  await client.withUpload(upload('image'), (attachmentId) => client.sendMessage(USER, imageMessage({ attachmentId })))
  const [first, second] = zalo.to('/v3.0/oa/message/cs').map((one) => JSON.stringify(bodyOf(one)))
  expect(first).toContain(stale)
  expect(second).not.toContain(`"${stale}"`)
  expect(zalo.to('/v2.0/oa/upload/image')).toHaveLength(2)
})

test('-100 twice goes to the caller, any other error at once', async () => {
  const client = clientTo(zalo)
  const send = (token: string) => client.sendMessage(USER, fileMessage(token))
  zalo.next('/v3.0/oa/message/cs', { error: -100 }, { error: -100 }, { error: -200 })
  expect(await errorOf(client.withUpload(upload('file'), send))).toMatchObject({ code: -100 })
  expect(zalo.to('/v2.0/oa/upload/file')).toHaveLength(2)
  expect(await errorOf(client.withUpload(upload('file'), send))).toMatchObject({ action: 'ambiguous' })
  expect(zalo.to('/v3.0/oa/message/cs')).toHaveLength(3)
})

test.each<[string, Upload]>([
  ['an image above 1 MB', upload('image', { size: 1024 * 1024 + 1 })],
  ['a file above 5 MB', upload('file', { size: 5 * 1024 * 1024 + 1 })],
  ['a name without extension', upload('image', { name: 'anh' })],
  ['a spreadsheet', upload('file', { name: 'a.xlsx' })],
  ['a gif as image', upload('image', { name: 'a.gif' })],
  ['content that is not what the name says', upload('image', { name: 'a.jpg' })],
  ['nothing', upload('file', { bytes: new Uint8Array() })],
])('%s is refused before it is sent', async (_name, file) => {
  expect(await errorOf(clientTo(zalo).upload(file))).toBeInstanceOf(InvalidUploadError)
  expect(zalo.seen).toHaveLength(0)
})

test('a success with empty data is no success, and a failed upload is repeatable', async () => {
  const client = clientTo(zalo)
  zalo.next('/v2.0/oa/upload/image', { error: 0, data: {} }, (response) => response.socket?.resetAndDestroy())
  expect(await errorOf(client.upload(upload('image')))).toMatchObject({ action: 'drop', reason: 'empty_upload' })
  expect(await errorOf(client.upload(upload('image')))).toMatchObject({ action: 'retry', reason: 'connection_lost' })
  expect(await client.upload(upload('image'))).toMatch(/^ATT_/)
})
