import { join } from 'node:path'
import { Command } from 'commander'
import { loadContent } from '../content/load.ts'
import { OperatorError } from '../lib/operator-error.ts'
import { criteriaTextKey } from '../model/criteria.ts'
import { countClips, importClips, loadClips, VOICE_LANGUAGES } from '../registry/voice-clips.ts'
import { printJson, printTable } from './print.ts'
import { withDatabase } from './run-command.ts'

const ROOT = join(import.meta.dirname, '../..')

const HOW = `
Recordings are made by people of the village who speak the language well and agree to be heard; see docs/ghi-am.md.
  <folder>/<language>/<text key>.<mp3|m4a|ogg|aac>   for example  recordings/hmv/cdht-g1-1.cntt.ask.mp3
One text a file, at most 30 seconds and 1 MB; for an answer say its number first. Check: names, kind of sound by its content, size, length.
One bad file and nothing is imported. The same files again change nothing; a real recording takes the place of a sample.
Languages: ${VOICE_LANGUAGES.map(({ code, en }) => `${code} ${en}`).join(', ')}`

export function voiceCommand(): Command {
  const command = new Command('voice').description('recorded prompts')
  command
    .command('import')
    .description('brings in recorded prompts by language and text key, all or none')
    .argument('<folder>', 'folder with one folder a language')
    .option('--sample', 'marks them as samples')
    .option('--json', 'one JSON document on the last line')
    .addHelpText('after', HOW)
    .action((folder: string, options: { sample?: boolean; json?: boolean }) => importFolder(folder, options))
  command
    .command('script')
    .description('prints what is to be recorded: the name of each file and the words to say')
    .option('--set <id>', 'a criteria set such as cdht-g1.1; without it all of them')
    .option('--json', 'one JSON document on the last line')
    .action((options: { set?: string; json?: boolean }) => printScript(options))
  command
    .command('list')
    .description('how many prompts are recorded, by language')
    .option('--json', 'one JSON document on the last line')
    .action((options: { json?: boolean }) => list(options.json ?? false))
  return command
}

async function importFolder(folder: string, { sample = false, json = false }: { sample?: boolean; json?: boolean }): Promise<void> {
  const { texts } = loadContent(ROOT)
  const { clips, problems } = await loadClips(folder, (key) => texts.vi.has(key)).catch((error: NodeJS.ErrnoException) => {
    throw new OperatorError(`${folder} cannot be read (${error.code ?? error.message})`)
  })
  for (const { file, problem } of problems) console.error(`${file}: ${problem}`)
  if (problems.length > 0)
    throw new OperatorError(`nothing was imported: ${problems.length} ${problems.length === 1 ? 'problem' : 'problems'}`)
  await withDatabase(async ({ database: { db }, now }) => {
    const counts = await importClips(db, { clips, sample, actor: 'cli', now })
    if (json) return printJson(counts)
    console.log(`${counts.created} recordings created, ${counts.updated} updated, ${counts.unchanged} unchanged`)
  })
}

/** Words as they are said: to everybody as to an elder. */
const spoken = (text: string) =>
  text.replaceAll('{goi}', 'bác').replaceAll('{Goi}', 'Bác').replaceAll('{xung}', 'cháu').replaceAll('{Xung}', 'Cháu')

async function printScript({ set: wanted, json = false }: { set?: string; json?: boolean }): Promise<void> {
  const { sets, texts } = loadContent(ROOT)
  if (wanted !== undefined && !sets.has(wanted))
    throw new OperatorError(`there is no criteria set ${wanted}; there are ${[...sets.keys()].join(', ')}`)
  const words = (key: string) => spoken(texts.vi.raw(key) ?? '')
  const lines = [...sets.values()]
    .filter(({ id }) => wanted === undefined || id === wanted)
    .flatMap((set) =>
      set.questions
        .filter((question) => question.source === 'asked')
        .flatMap((question) => {
          const key = (part: string) => criteriaTextKey(set.id, question.key, part)
          const answers = question.options.map((option, index) => ({
            file: key(option.key),
            say: `${index + 1}. ${words(key(option.key))}`,
          }))
          return [{ file: key('ask'), say: words(key('ask')) }, ...answers]
        }),
    )
  const around = ['engine.review', 'engine.review.dung', 'engine.help_option', 'voice.done'].map((file) => ({ file, say: words(file) }))
  if (json) return printJson([...lines, ...around])
  printTable([...lines, ...around].map(({ file, say }) => [file, say]))
}

async function list(json: boolean): Promise<void> {
  await withDatabase(async ({ database: { db } }) => {
    const rows = await countClips(db)
    if (json) return printJson(rows)
    printTable(rows.map(({ language, n, samples }) => [language, String(n), samples > 0 ? `${samples} samples` : '']))
  })
}
