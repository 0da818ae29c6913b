import { loadQuickly } from '../lib/load-quickly.ts'

loadQuickly()
const { createProgram } = await import('./program.ts')
const { explainFailure } = await import('./run-command.ts')

try {
  await createProgram().parseAsync()
} catch (error) {
  const { exitCode, line } = explainFailure(error)
  if (line) console.error(line)
  process.exitCode = exitCode
}
