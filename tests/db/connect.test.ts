import { expect, test } from 'vitest'
import { reconnectAfter } from '../../src/db/connect.ts'

// The driver counts the failures of all its connections together: a pool of 16 comes to hundreds within seconds
test('a server that was away, however long, is tried again within half a second', () => {
  expect(reconnectAfter(0)).toBeLessThan(0.05)
  for (let failures = 0; failures < 2_000; failures++) expect(reconnectAfter(failures)).toBeLessThanOrEqual(0.5)
})
