import { apply } from './apply.ts'
import type { Journal } from './journal.ts'
import type { World, WorldRecord } from './world.ts'

/** The one way to change the world: what is applied is also written down. */
export interface Store {
  world: World
  commit(record: WorldRecord): void
  /** Resolves when everything committed so far would survive a kill -9. */
  written(): Promise<void>
}

export function createStore(world: World, journal: Journal): Store {
  return {
    world,
    commit(record) {
      // written first: later changes to the applied object must not leak into this line
      journal.append(record)
      apply(world, record)
    },
    written: () => journal.written(),
  }
}
