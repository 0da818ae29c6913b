import { expect, test } from 'vitest'
import type { Simulator } from '../../src/simulator/simulator.ts'
import { call, DAY_MS, meet, OA, startSimulator, text } from './start.ts'

const MEGABYTE = 1024 * 1024

async function upload(simulator: Simulator, kind: string, file: { name: string; size: number; field?: string }) {
  const { access_token } = simulator.account(OA).mintTokens()
  const form = new FormData()
  form.append(file.field ?? 'file', new File([Buffer.alloc(file.size, 1)], file.name))
  const request = new Request('http://platform/', { method: 'POST', body: form })
  const response = await simulator.platform.inject({
    method: 'POST',
    url: `/v2.0/oa/upload/${kind}`,
    headers: { access_token, 'content-type': request.headers.get('content-type')! },
    payload: Buffer.from(await request.arrayBuffer()),
  })
  return { status: response.statusCode, ...response.json() }
}

test.each<[kind: string, file: { name: string; size: number; field?: string }, error: number, key: string | undefined]>([
  ['image', { name: 'a.png', size: 10 }, 0, 'attachment_id'],
  ['image', { name: 'a.JPG', size: MEGABYTE }, 0, 'attachment_id'],
  ['image', { name: 'a.jpg', size: MEGABYTE + 1 }, -210, undefined],
  ['image', { name: 'a.gif', size: 10 }, -201, undefined],
  ['image', { name: 'a.png', size: 10, field: 'image' }, -201, undefined],
  ['image', { name: 'a', size: 10 }, 0, undefined],
  ['gif', { name: 'a.gif', size: 5 * MEGABYTE }, 0, 'attachment_id'],
  ['file', { name: 'a.pdf', size: 5 * MEGABYTE }, 0, 'token'],
  ['file', { name: 'a.pdf', size: 5 * MEGABYTE + 1 }, -210, undefined],
  ['file', { name: 'a.docx', size: 10 }, 0, 'token'],
  ['file', { name: 'a.csv', size: 10 }, -201, undefined],
  ['file', { name: 'a.xlsx', size: 10 }, -201, undefined],
])('upload/%s of %o answers %i', async (kind, file, error, key) => {
  const answer = await upload(await startSimulator(), kind, file)
  expect([answer.status, answer.error]).toEqual([200, error])
  expect(Object.keys(answer.data ?? {})).toEqual(key === undefined ? [] : [key])
})

test('an upload that is not multipart is a wrong parameter', async () => {
  expect((await call(await startSimulator(), '/v2.0/oa/upload/image', { url: 'https://example.vn/a.png' })).body.error).toBe(-201)
})

test('a file is sent by its token for seven days, then it is gone', async () => {
  const simulator = await startSimulator()
  const { id, userId } = await meet(simulator)
  const { token } = (await upload(simulator, 'file', { name: 'giay-moi.pdf', size: 10 })).data
  const { attachment_id } = (await upload(simulator, 'image', { name: 'a.png', size: 10 })).data
  const file = (key: string, value: string) => text(userId, { attachment: { type: 'file', payload: { [key]: value } } })
  const send = async (body: unknown) => (await call(simulator, '/v3.0/oa/message/cs', body)).body.error
  expect(await send(file('token', token))).toBe(0)
  expect(await send(file('attachment_id', token))).toBe(0)
  // an image is not a file
  expect(await send(file('token', attachment_id))).toBe(-201)
  expect(simulator.people.thread(id, OA).messages.at(-1)).toMatchObject({ kind: 'file', media: { name: 'giay-moi.pdf', size: 10 } })
  await simulator.clock.advance(7 * DAY_MS + 1)
  await simulator.people.say(id, OA, { kind: 'text', text: 'Gửi lại' })
  expect(await send(file('token', token))).toBe(-100)
})
