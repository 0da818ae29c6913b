import { expect } from 'vitest'
import type { TestApp } from '../support/app.ts'

/** A webhook of the bot as its platform uses it, and what came of that. `bot` is asked when something is done. */
export function webhookOf(bot: () => TestApp, url: string) {
  const outcomes = async () =>
    (await bot().app.http.inject({ method: 'GET', url: '/metrics' })).body
      .split('\n')
      .filter((line) => line.startsWith('hoc_tap_inbound_total'))

  /** Runs an act and says how many rows of each table it made. */
  async function rowsMadeBy(act: () => Promise<unknown>): Promise<Record<string, number>> {
    const before = await bot().countRows()
    await act()
    const after = await bot().countRows()
    return Object.fromEntries(
      Object.entries(after).flatMap(([table, n]) => (n === before[table] ? [] : [[table, n - (before[table] ?? 0)]])),
    )
  }

  return {
    rowsMadeBy,
    /** The status a body is answered with. */
    post: async (payload: string | Buffer, headers: Record<string, string> = {}) =>
      (await bot().app.http.inject({ method: 'POST', url, headers: { 'content-type': 'application/json', ...headers }, payload }))
        .statusCode,
    /** Expects a request to be answered so and counted so, and to leave no row behind. */
    async expectNothingStored(request: () => Promise<number>, status: number, outcome: string | undefined): Promise<void> {
      const before = await outcomes()
      expect(await rowsMadeBy(async () => expect(await request()).toBe(status))).toEqual({})
      if (outcome)
        expect((await outcomes()).filter((line) => !before.includes(line))).toEqual([expect.stringContaining(`outcome="${outcome}"`)])
    },
    /** What is kept of a person's events, opened. */
    async contentsOf(userId: string): Promise<unknown[]> {
      const rows = await bot().sql<{ body_enc: Buffer }[]>`
        SELECT body_enc FROM inbound_event e JOIN contact c ON c.id = e.contact_id WHERE c.channel_user_id = ${userId} ORDER BY e.id`
      return rows.map((row) => bot().app.deps.sealer.openJson(row.body_enc))
    },
  }
}
