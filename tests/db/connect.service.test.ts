import { expect, test } from 'vitest'
import { checkDatabaseUrl } from '../../src/db/connect.ts'
import { OperatorError } from '../../src/lib/operator-error.ts'
import { createTestDatabase } from '../support/postgres.ts'

test('an address that leads to no database is explained in one line that names the variable and no password', async () => {
  const good = await createTestDatabase()
  await expect(checkDatabaseUrl(good)).resolves.toBeUndefined()
  const wrong = (change: (url: URL) => void) => {
    const url = new URL(good)
    url.password = 'made-up-password'
    change(url)
    return url.href
  }
  const cases = [
    [wrong((url) => (url.port = '1')), 'ECONNREFUSED'],
    [wrong((url) => (url.hostname = 'nowhere.invalid')), 'ENOTFOUND'],
    [wrong((url) => (url.password = 'made-up-password')), '28P01'],
    [good.replace(/[^/]+$/, 'made_up_database'), '3D000'],
  ] as const
  for (const [url, code] of cases) {
    const error = await checkDatabaseUrl(url).catch((thrown: unknown) => thrown)
    expect([code, error]).toEqual([code, expect.any(OperatorError)])
    expect((error as Error).message).toMatch(
      new RegExp(`^DATABASE_URL[^\\n]*${code === 'ENOTFOUND' ? '(ENOTFOUND|EAI_AGAIN)' : code}[^\\n]*$`),
    )
    expect((error as Error).message).not.toContain('made-up-password')
  }
})
