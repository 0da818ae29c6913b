import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Command, Option } from 'commander'
import { type CodeFacts, checkContent, publishContent } from '../content/check/content.ts'
import { printProblem } from '../content/check/problem.ts'
import { diffFlows, setsOf } from '../content/diff-flows.ts'
import { diffSets } from '../content/diff-sets.ts'
import { readJson } from '../content/files.ts'
import { LANGUAGES, loadContent } from '../content/load.ts'
import { commonParams, type Language } from '../content/texts.ts'
import { ACTION_NAMES } from '../conversation/actions.ts'
import { WORDS_THAT_ACT } from '../conversation/words.ts'
import { OperatorError } from '../lib/operator-error.ts'
import { CriteriaSet } from '../model/criteria.ts'
import { FlowFile } from '../model/flow.ts'
import type { TextRef } from '../model/text.ts'
import { SETTING_DEFINITIONS } from '../registry/settings.ts'
import { GoldenTalk, printGolden } from './golden-talk.ts'
import { createTalk } from './talk.ts'

const ROOT = join(import.meta.dirname, '../..')

export function flowCommand(): Command {
  const command = new Command('cli flow').description('flows and their texts')
  command.command('check').description('every flow valid, every node reachable, every text in every locale').action(check)
  command
    .command('publish')
    .description('closes every version there is: from now on "flow check" fails when one of them changes')
    .action(publish)
  command
    .command('talk')
    .description('talk to a flow in the terminal, or pipe lines into it; Ctrl-D ends')
    .argument('<flow>')
    .addOption(
      new Option('--group <n>', 'who talks: 1 people of the commune, 2 workers, 3 officials').choices(['1', '2', '3']).default('1'),
    )
    .addOption(new Option('--language <code>').choices(LANGUAGES).default('vi'))
    .option('--record <file>', 'writes the conversation as a test (tests/flows/<name>.talk.json)')
    .action(talk)
  command
    .command('diff')
    .description('what changes from one version to another, in plain words: cong-dan-hoc-tap.1, cdht-g1.2, or files')
    .argument('<old>')
    .argument('<new>')
    .addOption(new Option('--language <code>').choices(LANGUAGES).default('vi'))
    .action(diff)
  return command
}

/** What this code gives flows and needs of texts. */
export const CODE_FACTS: CodeFacts = {
  actions: ACTION_NAMES,
  keys: WORDS_THAT_ACT.map((word) => `word.${word}`),
  otherNames: new Set(SETTING_DEFINITIONS.map((definition) => definition.key)),
  sourceDir: join(ROOT, 'src'),
  folders: ['engine', 'conversation', 'http', 'outreach'],
}

function check(): void {
  const { flows, sets, texts, problems } = checkContent(ROOT, CODE_FACTS)
  const lines = problems.map(printProblem)
  if (lines.length === 1) throw new OperatorError(lines[0] ?? '')
  for (const line of lines) console.error(line)
  if (lines.length > 0) throw new OperatorError(`${lines.length} problems`)
  console.log(`${flows.length} flows, ${sets.length} criteria sets, ${texts} texts: nothing wrong`)
}

function publish(): void {
  check()
  const fresh = publishContent(ROOT)
  console.log(fresh.length > 0 ? `closed: ${fresh.join(', ')}` : 'every version was closed already')
}

async function talk(flow: string, options: { group: string; language: Language; record?: string }): Promise<void> {
  const content = loadContent(ROOT)
  if (!content.flows.some((item) => item.id === flow))
    throw new OperatorError(`there is no flow "${flow}"; there are ${[...new Set(content.flows.map((item) => item.id))].join(', ')}`)
  const head = GoldenTalk.shape.head.parse({
    flow,
    group: Number(options.group),
    language: options.language,
    now: new Date().toISOString(),
  })
  const held = createTalk({ content, flow, language: head.language, group: head.group, now: new Date(head.now) })
  const lines: GoldenTalk['lines'] = []
  const show = (bot: string, person?: string) => {
    lines.push({ ...(person === undefined ? {} : { person }), bot: bot.split('\n') })
    console.log(bot)
  }
  const input = createInterface({ input: process.stdin, ...(process.stdin.isTTY ? { output: process.stdout, prompt: '> ' } : {}) })
  show(held.begin())
  input.prompt()
  for await (const line of input) {
    if (!process.stdin.isTTY) console.log(`> ${line}`)
    show(held.say(line), line)
    if (held.isOver()) break
    input.prompt()
  }
  input.close()
  if (options.record) writeFileSync(options.record, printGolden({ head, lines }))
}

function diff(oldName: string, newName: string, options: { language: Language }): void {
  const content = loadContent(ROOT)
  const texts = content.texts[options.language]
  const common = commonParams({ goi: texts.format({ key: 'address.bac' }, {}), xung: texts.format({ key: 'address.bac.self' }, {}) })
  const words = (key: string) => texts.outline(key, common)
  const print = (lines: TextRef[]) => console.log(lines.map((line) => `- ${texts.format(line, common)}`).join('\n'))
  const [before, after] = [readVersion(oldName), readVersion(newName)]
  if (before.kind === 'set' && after.kind === 'set') return print(diffSets(before.set, after.set, words))
  if (before.kind !== 'flow' || after.kind !== 'flow')
    throw new OperatorError('compare a flow with a flow, or a criteria set with a criteria set')
  print(diffFlows(before.flow, after.flow, words))
  const now = setsOf(after.flow)
  for (const [value, from] of setsOf(before.flow)) {
    const [old, fresh] = [content.sets.get(from), content.sets.get(now.get(value) ?? '')]
    if (!old || !fresh || old.id === fresh.id) continue
    console.log(`\n${texts.format({ key: 'diff.head', params: { from: old.id, to: fresh.id } }, common)}`)
    print(diffSets(old, fresh, words))
  }
}

type Version = { kind: 'flow'; flow: FlowFile } | { kind: 'set'; set: CriteriaSet }

/** A version by its name, or by the file it stands in. */
function readVersion(name: string): Version {
  const places = [name, `flows/${name}.json`, `flows/criteria/${name}.json`].map((place) => join(ROOT, place))
  const path = [name, ...places].find((place) => place.endsWith('.json') && existsSync(place))
  if (!path) throw new OperatorError(`there is no version "${name}"; name one such as cong-dan-hoc-tap.1, or a file`)
  const json = readJson(path)
  const set = CriteriaSet.safeParse(json)
  if (set.success) return { kind: 'set', set: set.data }
  const flow = FlowFile.safeParse(json)
  if (flow.success) return { kind: 'flow', flow: flow.data }
  throw new OperatorError(`${path} is neither a flow nor a criteria set; "flow check" says what is wrong`)
}
