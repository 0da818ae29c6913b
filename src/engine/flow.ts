import type { CriteriaSet } from '../model/criteria.ts'
import type { FlowFile, Node } from '../model/flow.ts'

export type { AskInput, Node, Var } from '../model/flow.ts'

/** A flow made ready to run: nodes by id, its criteria sets beside it. */
export type LoadedFlow = { flow: FlowFile; nodes: ReadonlyMap<string, Node>; sets: ReadonlyMap<string, CriteriaSet> }

export function loadFlow(flow: FlowFile, sets: ReadonlyMap<string, CriteriaSet>): LoadedFlow {
  return { flow, nodes: new Map(flow.nodes.map((node) => [node.id, node])), sets }
}
