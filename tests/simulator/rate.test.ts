import { expect, test } from 'vitest'
import { accountInput, call, OA, STATE_OA, startSimulator } from './start.ts'

test('an account has its requests a minute, told in the headers, refused with its own text', async () => {
  const simulator = await startSimulator({ accounts: [accountInput({ perMinute: 3 })] })
  const ask = () => call(simulator, '/v2.0/oa/getoa')
  const remains = [await ask(), await ask(), await ask()].map(({ headers }) => headers['x-ratelimit-remain'])
  expect(remains).toEqual(['2', '1', '0'])
  expect((await ask()).body).toEqual({ error: -32, message: 'Your OA reached limit call api' })
  await simulator.clock.advance(60_000)
  expect((await ask()).body.error).toBe(0)
})

test('an app has its requests a minute over all its accounts, with another text', async () => {
  const accounts = [accountInput(), accountInput({ oaId: STATE_OA })]
  const simulator = await startSimulator({ accounts, appPerMinute: 2 })
  expect((await call(simulator, '/v2.0/oa/getoa', undefined, { oaId: OA })).body.error).toBe(0)
  expect((await call(simulator, '/v2.0/oa/getoa', undefined, { oaId: STATE_OA })).body.error).toBe(0)
  const third = await call(simulator, '/v2.0/oa/getoa', undefined, { oaId: OA })
  expect(third.body).toEqual({ error: -32, message: 'Your application reached limit call api' })
})

test.each([
  ['growth', '100'],
  ['comprehensive', '2000'],
] as const)('the package %s allows %s', async (name, limit) => {
  const simulator = await startSimulator({ accounts: [accountInput({ package: name })] })
  expect((await call(simulator, '/v2.0/oa/getoa')).headers['x-ratelimit-limit']).toBe(limit)
})
