import { randomBytes } from 'node:crypto'
import postgres from 'postgres'
import type { TestProject } from 'vitest/node'
import { migrateDb } from '../../src/db/connect.ts'
import { databaseUrl, runOn, startThrowawayPostgres } from './postgres.ts'
import { whyNoRedis } from './redis.ts'

let tearDown = async () => {}

/** One server for the whole run: TEST_DATABASE_URL, or a throw-away one (TEST_PG=14 takes PostgreSQL 14). */
export async function setup(project: TestProject): Promise<void> {
  if (whyNoRedis) console.warn(`Tests that need Redis are skipped: ${whyNoRedis}`)
  const given = process.env.TEST_DATABASE_URL
  const server = given ? { url: given, destroy: async () => {} } : await startThrowawayPostgres()
  const template = `test_${randomBytes(4).toString('hex')}`
  tearDown = async () => {
    if (given) await dropAll(given, template)
    await server.destroy()
  }
  await runOn(server.url, `CREATE DATABASE ${template}`)
  await migrateDb(databaseUrl(server.url, template))
  project.provide('testServer', { url: server.url, template })
}

export async function teardown(): Promise<void> {
  await tearDown()
}

async function dropAll(url: string, template: string): Promise<void> {
  const sql = postgres(url, { max: 1 })
  try {
    for (const { datname } of await sql`SELECT datname FROM pg_database WHERE starts_with(datname, ${template})`) {
      await sql`DROP DATABASE ${sql(datname)} WITH (FORCE)`
    }
  } finally {
    await sql.end({ timeout: 5 })
  }
}
