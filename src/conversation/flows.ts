import type { Content } from '../content/load.ts'
import { type LoadedFlow, loadFlow } from '../engine/flow.ts'

/** All versions of all flows, ready to run. */
export type Flows = {
  /** The version new conversations begin with. Throws for a flow that does not exist: names come from our own code and data. */
  latest(id: string): LoadedFlow
  /** A version somebody is in; undefined when its file is gone. */
  find(id: string, version: number): LoadedFlow | undefined
  /** The versions after one, oldest first. */
  newer(flow: { id: string; version: number }): LoadedFlow[]
  /** The same where one of them moves whoever is in an older one; else nothing. */
  mustMove(flow: { id: string; version: number }): LoadedFlow[]
  /** Like `latest`; undefined where no version is left. */
  newest(id: string): LoadedFlow | undefined
  ids(): string[]
}

export function createFlows({ flows, sets }: Pick<Content, 'flows' | 'sets'>): Flows {
  const byId = new Map<string, LoadedFlow[]>()
  for (const flow of flows) byId.set(flow.id, [...(byId.get(flow.id) ?? []), loadFlow(flow, sets)])
  for (const versions of byId.values()) versions.sort((a, b) => b.flow.version - a.flow.version)
  const newer = ({ id, version }: { id: string; version: number }) =>
    (byId.get(id) ?? []).filter((loaded) => loaded.flow.version > version).reverse()
  return {
    newer,
    mustMove(flow) {
      const versions = newer(flow)
      return versions.some((loaded) => loaded.flow.must_move) ? versions : []
    },
    latest(id) {
      const found = byId.get(id)?.[0]
      if (!found) throw new Error(`there is no flow ${id}`)
      return found
    },
    find: (id, version) => byId.get(id)?.find((loaded) => loaded.flow.version === version),
    newest: (id) => byId.get(id)?.[0],
    ids: () => [...byId.keys()],
  }
}
