import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Command, Option } from 'commander'
import { type CodeFacts, checkContent, publishContent } from '../content/check/content.ts'
import { printProblem } from '../content/check/problem.ts'
import { LANGUAGES, loadContent } from '../content/load.ts'
import type { Language } from '../content/texts.ts'
import { ACTION_NAMES } from '../conversation/actions.ts'
import { WORDS_THAT_ACT } from '../conversation/words.ts'
import { OperatorError } from '../lib/operator-error.ts'
import { SETTING_DEFINITIONS } from '../registry/settings.ts'
import { GoldenTalk, printGolden } from './golden-talk.ts'
import { createTalk } from './talk.ts'

const ROOT = join(import.meta.dirname, '../..')

export function flowCommand(): Command {
  const command = new Command('flow').description('flows and their texts')
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
  return command
}

function facts(): CodeFacts {
  return {
    actions: ACTION_NAMES,
    keys: WORDS_THAT_ACT.map((word) => `word.${word}`),
    otherNames: new Set(SETTING_DEFINITIONS.map((definition) => definition.key)),
    sourceDir: join(ROOT, 'src'),
    folders: ['engine', 'conversation', 'http', 'outreach'],
  }
}

function check(): void {
  const { flows, sets, texts, problems } = checkContent(ROOT, facts())
  for (const problem of problems) console.error(printProblem(problem))
  if (problems.length > 0) throw new OperatorError(`${problems.length} problems`)
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
