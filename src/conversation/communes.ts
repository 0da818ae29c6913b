import type { Database } from '../db/connect.ts'
import type { Prepared, Understand } from '../lib/understand.ts'
import { loadSettings, type Settings } from '../registry/settings.ts'
import { getCommune, listVillages, type Unit } from '../registry/units.ts'

/** What is known of a commune and changes rarely. */
export type Commune = {
  unit: Unit
  villages: Unit[]
  settings: Settings
  /** Village names ready to be found in a text. */
  preparedVillages: Prepared
}

export type Communes = { get(communeId: number): Promise<Commune> }

// A new setting or village is seen by every process within this time
const KEPT_MS = 5_000

export function createCommunes({
  database,
  understand,
  nowMs,
}: {
  database: Database
  understand: Understand
  nowMs: () => number
}): Communes {
  const kept = new Map<number, { commune: Promise<Commune>; until: number }>()

  async function load(communeId: number): Promise<Commune> {
    const [unit, villages, settings] = await Promise.all([
      getCommune(database.db, communeId),
      listVillages(database.db, communeId),
      loadSettings(database.db, communeId),
    ])
    const preparedVillages = understand.prepare({
      kind: 'village',
      options: villages.map((village) => ({ key: String(village.id), text: village.name, phrases: [`${village.label} ${village.name}`] })),
    })
    return { unit, villages, settings, preparedVillages }
  }

  return {
    get(communeId) {
      const known = kept.get(communeId)
      if (known && known.until > nowMs()) return known.commune
      const commune = load(communeId)
      kept.set(communeId, { commune, until: nowMs() + KEPT_MS })
      commune.catch(() => kept.delete(communeId))
      return commune
    },
  }
}
