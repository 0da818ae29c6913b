import postgres from 'postgres'
import { expect, test } from 'vitest'
import { createTestDatabase } from '../support/postgres.ts'

test('each test file has a migrated database of its own', async () => {
  const sql = postgres(await createTestDatabase(), { max: 1 })
  const [row] = await sql`SELECT count(*)::int AS tables FROM information_schema.tables WHERE table_schema = 'public'`
  expect(row?.tables).toBeGreaterThan(0)
  await sql.end()
})
