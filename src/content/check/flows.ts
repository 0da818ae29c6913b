import type { CriteriaSet } from '../../model/criteria.ts'
import type { FlowFile, Node } from '../../model/flow.ts'
import type { Problem } from './problem.ts'

/** What a flow may name outside itself. */
export type FlowWorld = {
  flows: readonly FlowFile[]
  sets: ReadonlyMap<string, CriteriaSet>
  actions: ReadonlySet<string>
}

/** Everything that would stop somebody inside a flow: a node that is not there, one nobody comes to, a way that never waits or ends. */
export function checkFlow(file: string, flow: FlowFile, world: FlowWorld): Problem[] {
  const problems: Problem[] = []
  const report = (at: string | undefined, wrong: string, remedy: string) =>
    problems.push({ file, ...(at === undefined ? {} : { at: `node ${at}` }), wrong, remedy })
  const nodes = new Map(flow.nodes.map((node) => [node.id, node]))

  if (file !== `flows/${flow.id}.${flow.version}.json`)
    report(undefined, 'the name does not say what is in it', `call it flows/${flow.id}.${flow.version}.json`)
  for (const [index, node] of flow.nodes.entries()) {
    if (flow.nodes.findIndex((other) => other.id === node.id) < index) report(node.id, 'stands twice', 'rename one of them')
  }
  if (!nodes.has(flow.start)) report(undefined, `start names ${flow.start}, which is not there`, 'name a node of this file')
  if (flow.leave && !nodes.has(flow.leave.next))
    report('leave', `goes to ${flow.leave.next}, which is not there`, 'name a node of this file')
  for (const node of flow.nodes) {
    for (const next of waysOf(node)) {
      if (!nodes.has(next)) report(node.id, `goes to ${next}, which is not there`, 'name a node of this file')
    }
    checkNames(node, world, (wrong, remedy) => report(node.id, wrong, remedy))
  }
  if (problems.length > 0) return problems

  const reached = closure([flow.start, ...(flow.leave ? [flow.leave.next] : [])], (id) => waysOf(nodes.get(id)!))
  const backwards = new Map<string, string[]>()
  for (const node of flow.nodes) for (const next of waysOf(node)) backwards.set(next, [...(backwards.get(next) ?? []), node.id])
  const ends = flow.nodes.filter((node) => node.kind === 'end').map((node) => node.id)
  const ending = closure(ends, (id) => backwards.get(id) ?? [])
  for (const { id } of flow.nodes) {
    if (!reached.has(id)) report(id, 'nobody ever comes here', 'let a node go to it, or take it out')
    else if (!ending.has(id)) report(id, 'from here no way leads to an end', 'let a node after it go to one of kind "end"')
  }
  const round = findRound(nodes)
  if (round) report(round[0], `goes round without asking anything: ${round.join(' → ')}`, 'put an ask, form or end between them')
  problems.push(...checkVersion(file, flow, world))
  return problems
}

/** Where a node may go on. */
function waysOf(node: Node): string[] {
  switch (node.kind) {
    case 'say':
    case 'do':
    case 'form':
      return [node.next]
    case 'branch':
      return [...node.cases.map((item) => item.next), node.else]
    case 'ask':
      return node.input.type === 'choice'
        ? node.input.options.flatMap((option) => (option.edit ? [option.edit, node.next] : [option.next ?? node.next]))
        : [node.next]
    case 'end':
      return []
    default:
      return node satisfies never
  }
}

function checkNames(node: Node, { flows, sets, actions }: FlowWorld, report: (wrong: string, remedy: string) => void): void {
  if (node.kind === 'do' && !actions.has(node.action))
    report(`asks for the action ${node.action}, which does not exist`, `there are ${[...actions].sort().join(', ')}`)
  if (node.kind === 'end' && node.next_flow !== undefined && !flows.some((flow) => flow.id === node.next_flow))
    report(`hands over to the flow ${node.next_flow}, which does not exist`, 'name a flow of this folder')
  if (node.kind === 'form') {
    for (const [value, set] of Object.entries(node.set.of)) {
      if (!sets.has(set))
        report(`${node.set.by} = ${value} asks the criteria set ${set}, which does not exist`, 'put it into flows/criteria')
    }
  }
  if (node.kind === 'ask' && node.input.type === 'choice') {
    const keys = node.input.options.map((option) => option.key)
    for (const key of new Set(keys.filter((item, index) => keys.indexOf(item) < index)))
      report(`offers ${key} twice`, 'give each answer a key of its own')
  }
}

/** People are moved between versions: whoever waits somewhere must have a place in the newer one. */
function checkVersion(file: string, flow: FlowFile, { flows }: FlowWorld): Problem[] {
  const problems: Problem[] = []
  const nodes = new Set(flow.nodes.map((node) => node.id))
  const older = flows.filter((other) => other.id === flow.id && other.version < flow.version)
  for (const [from, to] of Object.entries(flow.nodes_from)) {
    if (!nodes.has(to))
      problems.push({ file, at: `nodes_from ${from}`, wrong: `leads to ${to}, which is not there`, remedy: 'name a node of this file' })
  }
  if (flow.version === 1) return problems
  const before = older.find((other) => other.version === flow.version - 1)
  if (!before) {
    const missing = `flows/${flow.id}.${flow.version - 1}.json`
    return [
      ...problems,
      { file: missing, wrong: 'is gone, and people may still be in it', remedy: 'put it back; versions are never taken out' },
    ]
  }
  if (!flow.must_move) return problems
  for (const node of before.nodes) {
    if (node.kind !== 'ask' && node.kind !== 'form') continue
    const to = flow.nodes_from[node.id] ?? node.id
    if (!nodes.has(to)) {
      problems.push({
        file,
        at: `node ${node.id} of version ${before.version}`,
        wrong: 'people wait there and have no place in this version, which moves them',
        remedy: `say where to in "nodes_from": { "${node.id}": "…" }`,
      })
    }
  }
  return problems
}

function closure(from: readonly string[], next: (id: string) => readonly string[]): Set<string> {
  const found = new Set(from)
  for (const id of found) for (const other of next(id)) found.add(other)
  return found
}

/** A way that comes back to where it began without waiting for the person. */
function findRound(nodes: ReadonlyMap<string, Node>): string[] | undefined {
  const clear = new Set<string>()
  const walk = (id: string, path: readonly string[]): string[] | undefined => {
    const node = nodes.get(id)
    if (!node || node.kind === 'ask' || node.kind === 'form' || clear.has(id)) return undefined
    if (path.includes(id)) return [...path.slice(path.indexOf(id)), id]
    for (const next of waysOf(node)) {
      const round = walk(next, [...path, id])
      if (round) return round
    }
    clear.add(id)
    return undefined
  }
  for (const id of nodes.keys()) {
    const round = walk(id, [])
    if (round) return round
  }
  return undefined
}
